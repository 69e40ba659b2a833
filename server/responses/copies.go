package responses

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// A noteName is what a note about a file, a vector store or a thread is called. Behind it comes the provider's
// address, since each provider has copies of its own.
type noteName string

const (
	fileNote      noteName = "responses.file"
	storeNote     noteName = "responses.store"
	containerNote noteName = "responses.container"
)

// note is the whole name of a note. It is the provider's address alone that tells notes from each other, since keys
// are replaced and copies stay: two accounts behind one address need two servers, or each would be given ids of the
// other's.
func (c *copies) note(name noteName) string { return string(name) + " " + c.provider.BaseURL() }

const (
	// copyLifetime is how long copies of files stay with the provider, which allows no more. One that is used longer
	// than that is made anew.
	copyLifetime = 30 * 24 * time.Hour

	// trusted is for how long a copy is taken to be there without asking. One that somebody else removes is missing
	// for no longer than this, or until copies.doubt.
	trusted = time.Hour

	// atOnce is how many copies are made at once for one run.
	atOnce = 8
)

// copies are the provider's copies of the server's files and vector stores, for the tools that run with the provider.
// A file is copied once, by the first run that needs it. That there is a copy is a note about the file, and so
// outlives the process. It is safe for concurrent use.
type copies struct {
	provider *assistants.Client
	locks    locks       // of files and vector stores, by id
	endless  atomic.Bool // the provider does not take it that a file is to end
}

func newCopies(provider *assistants.Client) *copies { return &copies{provider: provider} }

// A copied file is the note about one.
type copied struct {
	ID    string `json:"id"`             // the provider's
	Until int64  `json:"until,omitzero"` // when another one is to be made, in Unix seconds; 0: never
	Seen  int64  `json:"seen,omitzero"`  // when the copy was last known to be there, in Unix seconds
}

// files returns the provider's ids of copies of files, in their order. A file that is not there any more is an error,
// which names it.
func (c *copies) files(ctx context.Context, call *server.ModelCall, fileIDs []string) (providerIDs []string, err error) {
	providerIDs = make([]string, len(fileIDs))
	err = each(len(fileIDs), func(i int) error {
		found, err := c.file(ctx, call, fileIDs[i])
		providerIDs[i] = found.ID
		return err
	})
	if err != nil {
		return nil, err
	}
	return providerIDs, nil
}

// file returns the copy of a file, and makes it if there is none. The error wraps server.ErrNotFound if the file is
// gone.
func (c *copies) file(ctx context.Context, call *server.ModelCall, fileID string) (copied, error) {
	release, err := c.locks.acquire(ctx, fileID)
	if err != nil {
		return copied{}, err
	}
	defer release()
	note, err := readNote[copied](ctx, c, call, fileID, fileNote)
	if err != nil {
		return copied{}, err
	}
	there := note.ID != "" && !over(note.Until)
	if there && recent(note.Seen, trusted) {
		return note, nil
	}
	if there {
		if there, err = c.exists(ctx, note.ID); err != nil {
			return copied{}, err
		}
	}
	if !there {
		if note, err = c.upload(ctx, call, fileID); err != nil {
			return copied{}, err
		}
	}
	note.Seen = time.Now().Unix()
	return note, writeNote(ctx, c, call, fileID, fileNote, note)
}

// exists reports whether the provider has a file.
func (c *copies) exists(ctx context.Context, providerFileID string) (bool, error) {
	_, err := c.provider.Files.Retrieve(ctx, providerFileID, provider.Options()...)
	switch {
	case isAbsent(err):
		return false, nil
	case err != nil:
		return false, provider.Failure(err)
	}
	return true, nil
}

// isAbsent reports whether an error may be about an id of something that is not there. That a provider refuses an id
// that another one has given as invalid is inferred.
func isAbsent(err error) bool {
	return errors.Is(err, assistants.ErrNotFound) || errors.Is(err, assistants.ErrBadRequest)
}

// isRefused reports whether an error says that the provider will not do what it was asked, now or later. That it
// wants other credentials, or more time, is none of that.
func isRefused(err error) bool {
	var e *assistants.APIError
	if !errors.As(err, &e) {
		return false
	}
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return 400 <= e.StatusCode && e.StatusCode < 500
}

// upload makes a copy of a file, for both tools: its purpose is the one that both have been seen to accept.
func (c *copies) upload(ctx context.Context, call *server.ModelCall, fileID string) (copied, error) {
	file, body, err := call.OpenFile(ctx, fileID)
	switch {
	case errors.Is(err, server.ErrNotFound):
		gone := &server.ModelError{Code: provider.CodePrompt, Message: fmt.Sprintf("File %s is not available any more.", fileID)}
		return copied{}, fmt.Errorf("%w: %w", gone, err)
	case err != nil:
		return copied{}, err
	}
	content := &content{body: body, size: file.Bytes, reopen: func() (io.ReadCloser, error) {
		_, body, err := call.OpenFile(ctx, fileID)
		return body, err
	}}
	defer content.Close()
	made, err := c.send(ctx, file.Filename, content)
	if failure := content.failure(); err != nil && failure != nil {
		return copied{}, fmt.Errorf("file %s: %w", fileID, failure)
	}
	if err != nil {
		return copied{}, provider.Failure(err)
	}
	note := copied{ID: made.ID}
	if !made.ExpiresAt.IsZero() { // by the provider's clock, which may not be ours
		lifetime := int64(made.ExpiresAt - made.CreatedAt)
		note.Until = time.Now().Unix() + lifetime - lifetime/10
	}
	return note, nil
}

// send uploads a file that is to end after a while. With a provider that does not know of such a thing it stays until
// somebody deletes it, and so do all others that this process uploads.
func (c *copies) send(ctx context.Context, name string, content io.ReadSeeker) (*assistants.File, error) {
	params := assistants.FileUploadParams{File: content, Filename: name, Purpose: assistants.PurposeAssistants}
	if !c.endless.Load() {
		params.ExpiresAfter = &assistants.FileExpiration{Seconds: int64(copyLifetime / time.Second)}
	}
	made, err := c.provider.Files.Upload(ctx, params, provider.Options()...)
	if params.ExpiresAfter == nil || !refusesExpiry(err) {
		return made, err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	c.endless.Store(true)
	params.ExpiresAfter = nil
	return c.provider.Files.Upload(ctx, params, provider.Options()...)
}

// refusesExpiry is inferred: whether an error names the part of an upload that says when the file is to end, as its
// param or in words.
func refusesExpiry(err error) bool {
	var e *assistants.APIError
	return errors.As(err, &e) && errors.Is(err, assistants.ErrBadRequest) && bytes.Contains(e.Body, []byte("expires_after"))
}

// doubt has the next use of these files and vector stores ask whether the provider's copies are still there. It is
// for errors that may come of a copy that is not.
func (c *copies) doubt(ctx context.Context, call *server.ModelCall, fileIDs, storeIDs []string) error {
	for _, id := range fileIDs {
		err := changeNote(ctx, c, call, id, fileNote, func(note *copied) { note.Seen = 0 })
		if err != nil {
			return err
		}
	}
	for _, id := range storeIDs {
		err := changeNote(ctx, c, call, id, storeNote, func(note *mirror) { note.Seen = 0 })
		if err != nil {
			return err
		}
	}
	return nil
}

// changeNote changes a note, if there is one.
func changeNote[T any](ctx context.Context, c *copies, call *server.ModelCall, about string, name noteName, f func(*T)) error {
	release, err := c.locks.acquire(ctx, about)
	if err != nil {
		return err
	}
	defer release()
	raw, err := call.Recall(ctx, about, c.note(name))
	if err != nil || raw == nil {
		return err
	}
	note, err := readNote[T](ctx, c, call, about, name)
	if err != nil {
		return err
	}
	f(&note)
	return writeNote(ctx, c, call, about, name, note)
}

// readNote returns a note; zero if there is none, or none that can be read, which is made anew then.
func readNote[T any](ctx context.Context, c *copies, call *server.ModelCall, about string, name noteName) (note T, err error) {
	raw, err := call.Recall(ctx, about, c.note(name))
	if err != nil || raw == nil {
		return note, err
	}
	if json.Unmarshal(raw, &note) != nil {
		return *new(T), nil
	}
	return note, nil
}

// writeNote writes a note, although ctx may have ended: what was done need not be done again then. A thing that is
// gone needs no note.
func writeNote[T any](ctx context.Context, c *copies, call *server.ModelCall, about string, name noteName, note T) error {
	raw, err := json.Marshal(note)
	if err != nil {
		return err
	}
	err = call.Remember(context.WithoutCancel(ctx), about, c.note(name), raw)
	if errors.Is(err, server.ErrNotFound) {
		return nil
	}
	return err
}

// over reports whether a time, in Unix seconds, has come; 0 never does.
func over(unix int64) bool { return unix != 0 && time.Now().Unix() >= unix }

// recent reports whether a time, in Unix seconds, was within d. One that is to come is that of a clock which was
// wrong.
func recent(unix int64, d time.Duration) bool {
	ago := time.Since(time.Unix(unix, 0))
	return ago >= -time.Minute && ago < d
}
