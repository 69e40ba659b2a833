package provider

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Images are the images of a conversation, as they are sent to a model that does not have our files: as data URLs.
// They have a limit together, which the newest use up first: what was asked last is what the answer is about. The
// zero Images is ready for one call of a model. It is not safe for concurrent use.
type Images struct {
	shown map[*assistants.ImageFile]shownImage // of the whole history, once the first was asked for
	sent  int
}

type shownImage struct{ url, note string }

// maxImages bounds the images of one call of a model, in bytes.
const maxImages = 20 << 20

const imageGone = "[An image that is not available any more]"

// DataURL returns an image of a user's message in the call's history as a URL that holds it. Note is a sentence for
// the model in its place if there is no image, since it has been deleted, is none, or is too large together with
// newer ones. That an image cannot be read although it is there is an error, be it this image or another one of the
// history.
func (i *Images) DataURL(ctx context.Context, call *server.ModelCall, image *assistants.ImageFile) (url, note string, err error) {
	if i.shown == nil {
		if err := i.read(ctx, call); err != nil {
			return "", "", err
		}
	}
	shown, ok := i.shown[image]
	if !ok {
		return "", imageGone, nil
	}
	return shown.url, shown.note, nil
}

// read reads the images of a history, the newest message first, and in a message the first image.
func (i *Images) read(ctx context.Context, call *server.ModelCall) error {
	found := make(map[*assistants.ImageFile]shownImage)
	for turn := len(call.History) - 1; turn >= 0; turn-- {
		message := call.History[turn].Message
		if message == nil || message.Role == assistants.RoleAssistant {
			continue
		}
		for part := range message.Content {
			image := message.Content[part].ImageFile
			if image == nil {
				continue
			}
			shown, err := i.open(ctx, call, image.FileID)
			if err != nil {
				return err
			}
			found[image] = shown
		}
	}
	i.shown = found
	return nil
}

// open reads an image if there is room for it.
func (i *Images) open(ctx context.Context, call *server.ModelCall, fileID string) (shownImage, error) {
	file, content, err := call.OpenFile(ctx, fileID)
	switch {
	case errors.Is(err, server.ErrNotFound):
		return shownImage{note: imageGone}, nil
	case err != nil:
		return shownImage{}, fmt.Errorf("image %s: %w", fileID, err)
	}
	defer content.Close()
	large := shownImage{note: fmt.Sprintf("[An image that is too large to be shown: %s]", file.Filename)}
	room := int64(maxImages - i.sent)
	if file.Bytes > room {
		return large, nil
	}
	data, err := io.ReadAll(io.LimitReader(content, room+1)) // whatever it says
	if err != nil {
		return shownImage{}, fmt.Errorf("image %s: %w", fileID, err)
	}
	kind := http.DetectContentType(data)
	switch {
	case int64(len(data)) > room:
		return large, nil
	case !strings.HasPrefix(kind, "image/"):
		return shownImage{note: fmt.Sprintf("[A file that is no image: %s]", file.Filename)}, nil
	}
	i.sent += len(data)
	return shownImage{url: "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)}, nil
}
