package responses

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

const (
	// maxContainerFiles is how many files code can be given.
	maxContainerFiles = 50

	// idle is for how long a container is taken to be there without asking. The provider's live 20 minutes longer
	// than their last use.
	idle = 15 * time.Minute
)

// A session is where the code of a thread runs: a container of the provider. Its variables and files stay from run to
// run, until the provider removes it.
type session struct {
	ID    string   // the provider's; "": a new one is to be made, with files
	files []string // the provider's, for a new one
	ours  []string // files of ours that are in it, or will be
}

// A container is the note about a thread: the session of its code.
type container struct {
	ID    string   `json:"id"`
	Files []string `json:"files"` // ours, that are in it
	Used  int64    `json:"used"`  // last, in Unix seconds
}

// session returns the session of the call's thread, with these files in it. If there is none, if it has ended, or
// does not take the files, that is a new one. A provider that fails does not cost the thread its session, but the
// run.
func (c *copies) session(ctx context.Context, call *server.ModelCall, fileIDs []string) (*session, error) {
	fileIDs = slices.Compact(slices.Sorted(slices.Values(fileIDs)))
	if len(fileIDs) > maxContainerFiles {
		return nil, &server.ModelError{Code: provider.CodePrompt, Message: fmt.Sprintf(
			"The model's provider takes at most %d files for code_interpreter, and there are %d.", maxContainerFiles, len(fileIDs))}
	}
	note, err := readNote[container](ctx, c, call, call.ThreadID, containerNote)
	if err != nil {
		return nil, err
	}
	if note.ID != "" {
		if s, err := c.resume(ctx, call, note, fileIDs); s != nil || err != nil {
			return s, err
		}
	}
	ids, err := c.files(ctx, call, fileIDs)
	if err != nil {
		return nil, err
	}
	return &session{files: ids, ours: fileIDs}, nil
}

// resume returns a session that has been used before, with these files in it; nil if it cannot be used any more.
func (c *copies) resume(ctx context.Context, call *server.ModelCall, note container, fileIDs []string) (*session, error) {
	if !recent(note.Used, idle) {
		if running, err := c.isRunning(ctx, note.ID); !running || err != nil {
			return nil, err
		}
	}
	missing := slices.DeleteFunc(slices.Clone(fileIDs), func(id string) bool { return slices.Contains(note.Files, id) })
	if len(missing) == 0 {
		return &session{ID: note.ID, ours: note.Files}, nil
	}
	ids, err := c.files(ctx, call, missing)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		err := c.fill(ctx, note.ID, id)
		switch {
		case isAbsent(err): // the container, or the copy
			return nil, c.doubt(ctx, call, missing[i:i+1], nil)
		case isRefused(err):
			return nil, nil
		case err != nil: // the files so far are there
			return nil, errors.Join(provider.Failure(err), writeNote(ctx, c, call, call.ThreadID, containerNote, note))
		}
		note.Files, note.Used = append(note.Files, missing[i]), time.Now().Unix()
	}
	return &session{ID: note.ID, ours: note.Files}, writeNote(ctx, c, call, call.ThreadID, containerNote, note)
}

// isRunning reports whether a container can still be used. One that the provider refuses to tell about is none.
func (c *copies) isRunning(ctx context.Context, containerID string) (bool, error) {
	var state struct {
		Status string `json:"status"`
	}
	err := c.provider.Call(ctx, http.MethodGet, containerPath(containerID), nil, &state, provider.Options()...)
	switch {
	case isRefused(err):
		return false, nil
	case err != nil:
		return false, provider.Failure(err)
	}
	return state.Status == "running", nil
}

// fill puts one of the provider's files into a container.
func (c *copies) fill(ctx context.Context, containerID, providerFileID string) error {
	in := struct {
		FileID string `json:"file_id"`
	}{providerFileID}
	return c.provider.Call(ctx, http.MethodPost, containerPath(containerID)+"/files", in, nil, provider.Options()...)
}

func containerPath(id string) string { return "/containers/" + url.PathEscape(id) }

// keep remembers the container that an answer says its code ran in, as the session of the call's thread. s is the
// session that was asked for: a container that is another one has none of its files, unless it was made for it.
func (c *copies) keep(ctx context.Context, call *server.ModelCall, containerID string, s *session) error {
	note := container{ID: containerID, Used: time.Now().Unix()}
	if s != nil && (s.ID == "" || s.ID == containerID) {
		note.Files = s.ours
	}
	return writeNote(ctx, c, call, call.ThreadID, containerNote, note)
}

// drop forgets the session of the call's thread, which the provider does not know any more.
func (c *copies) drop(ctx context.Context, call *server.ModelCall) error {
	err := call.Remember(ctx, call.ThreadID, c.note(containerNote), nil)
	if errors.Is(err, server.ErrNotFound) {
		return nil
	}
	return err
}

// fetch makes a file of one that code has made in a container, which does not stay. Of the name the last element
// counts.
func (c *copies) fetch(
	ctx context.Context, call *server.ModelCall, containerID, providerFileID, name string,
) (fileID string, err error) {
	path := containerPath(containerID) + "/files/" + url.PathEscape(providerFileID) + "/content"
	body, err := c.provider.Open(ctx, http.MethodGet, path, nil, provider.Options()...)
	if err != nil {
		return "", provider.Failure(err)
	}
	defer body.Close()
	arriving := &arriving{body: body}
	file, err := call.CreateFile(ctx, nameOf(name), arriving)
	switch {
	case arriving.err != nil:
		return "", provider.Broken(arriving.err)
	case err != nil:
		return "", err
	}
	return file.ID, nil
}

// An arriving file tells errors of the provider from those of the server, which reads it.
type arriving struct {
	body io.Reader
	err  error
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if err != nil && err != io.EOF {
		a.err = err
	}
	return n, err
}

// maxNameLength is how many characters the name of a file has, at most.
const maxNameLength = 512

// nameOf is the last element of a path that a provider names, of which a file can be made; "file" if there is none.
func nameOf(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	printable := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsControl(r) }) >= 0
	switch {
	case !printable || name == "." || name == "..":
		return "file"
	case utf8.RuneCountInString(name) > maxNameLength: // the ending says what kind of file it is
		runes := []rune(name)
		return string(runes[len(runes)-maxNameLength:])
	}
	return name
}

// maxImage bounds an image that is in a URL, in bytes.
const maxImage = 20 << 20

// imageEndings are the kinds of images that there may be, by what their bytes are.
var imageEndings = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp",
}

// image is an image that code has shown, of which a file is made if its URL holds it; else a line of what the code
// has printed says that there was one, and why it is not there. Other URLs are not asked for anything: the
// credentials are for the provider alone, whose addresses of images nobody has seen, and a provider, or what it
// repeats, could have the server ask addresses that only the server can reach.
func (c *copies) image(ctx context.Context, call *server.ModelCall, address string) (server.ModelEvent, error) {
	data, ending, reason := imageIn(address)
	if reason != "" {
		return server.CodeLogs("[An image was shown that could not be kept: " + reason + "]\n"), nil
	}
	file, err := call.CreateFile(ctx, "image"+ending, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return server.CodeImage{FileID: file.ID}, nil
}

// imageIn returns the image that a URL holds and the ending of its name, or the reason why there is none.
func imageIn(address string) (data []byte, ending, reason string) {
	const scheme = "data:"
	if len(address) < len(scheme) || !strings.EqualFold(address[:len(scheme)], scheme) {
		return nil, "", "the provider has sent an address instead of the image"
	}
	kind, encoded, _ := strings.Cut(address[len(scheme):], ",")
	if base64.RawStdEncoding.DecodedLen(len(encoded)) > maxImage {
		return nil, "", "it is larger than 20 MiB"
	}
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	ending, known := imageEndings[http.DetectContentType(data)]
	if !strings.HasSuffix(strings.ToLower(kind), ";base64") || err != nil || !known {
		return nil, "", "it is no PNG, JPEG, GIF or WebP image"
	}
	return data, ending, ""
}
