package provider_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// inCall calls f in a call of a server's model.
func inCall(t *testing.T, f func(context.Context, *server.ModelCall), opts ...server.Option) {
	t.Helper()
	called := false
	model := server.ModelFunc(func(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(func(server.ModelEvent, error) bool) {
			f(ctx, call)
			called = true
		}
	})
	s := server.New(append(opts, server.WithModel(model))...)
	defer s.Close()
	client, err := assistants.NewClient(assistants.WithHandler(s))
	require.NoError(t, err)
	assistant, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m", Instructions: "x"})
	require.NoError(t, err)
	_, err = client.Threads.CreateAndRunPoll(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: assistant.ID})
	require.NoError(t, err)
	require.True(t, called)
}

const png = "\x89PNG\r\n\x1a\n"

// showing is a message with images.
func showing(role assistants.Role, fileIDs ...string) server.Turn {
	m := &assistants.Message{Role: role}
	for _, id := range fileIDs {
		m.Content = append(m.Content, assistants.ContentPart{Text: &assistants.Text{Value: "Look:"}},
			assistants.ContentPart{ImageFile: &assistants.ImageFile{FileID: id}})
	}
	return server.Turn{Message: m}
}

// shown is what of the history's images is sent, in their order.
func shown(ctx context.Context, call *server.ModelCall) (all []string, err error) {
	var images provider.Images
	for _, turn := range call.History {
		if turn.Message == nil || turn.Message.Role == assistants.RoleAssistant {
			continue
		}
		for i := range turn.Message.Content {
			if image := turn.Message.Content[i].ImageFile; image != nil {
				url, note, err := images.DataURL(ctx, call, image)
				if err != nil {
					return all, err
				}
				all = append(all, url+note)
			}
		}
	}
	return all, nil
}

// Images are sent along as data URLs; what is none leaves a note.
func TestImages(t *testing.T) {
	t.Parallel()
	content := png + strings.Repeat("x", 100)
	inCall(t, func(ctx context.Context, call *server.ModelCall) {
		var ids []string
		for _, f := range [][2]string{{"a.png", content}, {"a.txt", "text"}, {"large.png", png + strings.Repeat("x", 20<<20)}} {
			file, err := call.CreateFile(ctx, f[0], strings.NewReader(f[1]))
			assert.NoError(t, err)
			ids = append(ids, file.ID)
		}
		call.History = []server.Turn{
			showing(assistants.RoleUser, append(ids, "file-gone")...),
			{ToolCalls: []assistants.ToolCall{{ID: "call_1"}}},
			showing(assistants.RoleAssistant, "file-gone"),
		}
		all, err := shown(ctx, call)
		assert.NoError(t, err)
		assert.Equal(t, []string{
			"data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(content)),
			"[A file that is no image: a.txt]",
			"[An image that is too large to be shown: large.png]",
			"[An image that is not available any more]",
		}, all)
	})
}

// Where there is not room for all, there is for the newest.
func TestNewestImagesAreShown(t *testing.T) {
	t.Parallel()
	inCall(t, func(ctx context.Context, call *server.ModelCall) {
		upload := func(name string, size int) string {
			file, err := call.CreateFile(ctx, name, strings.NewReader(png+strings.Repeat("x", size-len(png))))
			assert.NoError(t, err)
			return file.ID
		}
		old, middle, small := upload("old.png", 8<<20), upload("middle.png", 8<<20), upload("small.png", 4<<20)
		last := upload("last.png", 8<<20)
		call.History = []server.Turn{
			showing(assistants.RoleUser, small), showing(assistants.RoleUser, old), showing(assistants.RoleUser, middle),
			showing(assistants.RoleAssistant, old), showing(assistants.RoleUser, last),
		}
		all, err := shown(ctx, call)
		assert.NoError(t, err)
		for i := range all {
			all[i] = all[i][:min(len(all[i]), 60)]
		}
		const is = "data:image/png;base64,iVBORw0KGgp4eHh4eHh4eHh4eHh4eHh4eHh4eH"
		assert.Equal(t, []string{is[:60], "[An image that is too large to be shown: old.png]", is[:60], is[:60]}, all)

		call.History = []server.Turn{showing(assistants.RoleUser, last), showing(assistants.RoleUser, last), showing(assistants.RoleUser, last)}
		all, err = shown(ctx, call)
		assert.NoError(t, err)
		assert.Equal(t, "[An image that is too large to be shown: last.png]", all[0], "each time counts")
		assert.Equal(t, all[1], all[2])
		assert.Len(t, all[1], len("data:image/png;base64,")+base64.StdEncoding.EncodedLen(8<<20))
	})
}

// onFire is content that cannot be had, or read.
type onFire struct {
	server.Blobs
	reading bool
}

func (b onFire) Open(context.Context, string) (io.ReadCloser, error) {
	if b.reading {
		return io.NopCloser(io.MultiReader(strings.NewReader(png), b)), nil
	}
	return nil, errOnFire
}

func (b onFire) Read([]byte) (int, error) { return 0, errOnFire }

var errOnFire = errors.New("the disk is on fire")

// Only an image that is gone is not available any more.
func TestImageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, blobs := range map[string]onFire{"open": {}, "read": {reading: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobs.Blobs = server.NewMemoryBlobs()
			inCall(t, func(ctx context.Context, call *server.ModelCall) {
				file, err := call.CreateFile(ctx, "a.png", strings.NewReader(png))
				assert.NoError(t, err)
				call.History = []server.Turn{showing(assistants.RoleUser, file.ID)}
				_, err = shown(ctx, call)
				assert.ErrorIs(t, err, errOnFire)
				assert.ErrorContains(t, err, file.ID)
			}, server.WithBlobs(blobs))
		})
	}
	_, err := shown(t.Context(), &server.ModelCall{History: []server.Turn{showing(assistants.RoleUser, "file-1")}})
	require.ErrorContains(t, err, "not of a server")
}
