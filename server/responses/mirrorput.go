package responses

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// How files come into a mirror. Each file is one upload, which takes a while: a run of ten minutes brings some
// thousands. Many are then added by one request. One by one would be slow, as the provider is asked again and again
// whether it has read each of them, and would soon be more requests a minute for one vector store than it takes.

// maxTogether is how many files are added by one request, a quarter of what the API allows: those of a request that
// is under way when the run ends are added again by the next run.
const maxTogether = 500

// put takes files into the mirror. What is done is written down now and then: a large vector store need not be copied
// by one run, or one process.
func (m *mirroring) put(ctx context.Context, files []*assistants.VectorStoreFile) error {
	for rest := range slices.Chunk(files, maxTogether) {
		if len(rest) > atOnce {
			var err error
			if rest, err = m.putTogether(ctx, rest); err != nil {
				return err
			}
		}
		err := each(len(rest), func(i int) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return m.putOne(ctx, rest[i])
		})
		if err != nil {
			return err
		}
		if err := m.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// putTogether adds files by one request. The rest are those that have to be put one by one, to see what is wrong with
// them: all of them if the provider refuses the request, which does not say because of which.
func (m *mirroring) putTogether(
	ctx context.Context, files []*assistants.VectorStoreFile,
) (rest []*assistants.VectorStoreFile, err error) {
	found := make([]copied, len(files))
	err = each(len(files), func(i int) (err error) {
		if err := ctx.Err(); err != nil {
			return err
		}
		found[i], err = m.copies.file(ctx, m.call, files[i].ID)
		if errors.Is(err, server.ErrNotFound) || isUnreadable(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	read, err := m.addTogether(ctx, files, found)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		added := read[found[i].ID]
		if added == nil {
			rest = append(rest, file)
			continue
		}
		m.added(file, found[i], added)
	}
	return rest, nil
}

// addTogether adds those files to the mirror that there are copies of, and returns those that were read or could not
// be, by the provider's ids. If the provider refuses, that is none.
func (m *mirroring) addTogether(
	ctx context.Context, files []*assistants.VectorStoreFile, found []copied,
) (map[string]*assistants.VectorStoreFile, error) {
	var params assistants.FileBatchCreateParams
	for i, file := range files {
		if found[i].ID != "" {
			params.Files = append(params.Files, addition(found[i], file))
		}
	}
	read := make(map[string]*assistants.VectorStoreFile)
	if params.Files == nil {
		return read, nil
	}
	batches := m.copies.provider.FileBatches
	batch, err := batches.CreateAndPoll(ctx, m.note.ID, params, provider.Options()...)
	switch {
	case isRefused(err):
		return read, nil
	case err != nil:
		return nil, provider.Failure(err)
	}
	list := assistants.VectorStoreFileListParams{Limit: 100}
	for file, err := range batches.AllFiles(ctx, m.note.ID, batch.ID, list, provider.Options()...) {
		if err != nil {
			return nil, provider.Failure(err)
		}
		if file.Status == assistants.VectorStoreFileCompleted || file.Status == assistants.VectorStoreFileFailed {
			read[file.ID] = file
		}
	}
	return read, nil
}

// putOne takes a file into the mirror. That it cannot be read is no error.
func (m *mirroring) putOne(ctx context.Context, file *assistants.VectorStoreFile) error {
	found, added, err := m.attach(ctx, file)
	switch {
	case errors.Is(err, server.ErrNotFound): // it is gone, and will have left our vector store
		return nil
	case isUnreadable(err):
		m.refused(file, found)
		return nil
	case err != nil:
		return err
	}
	m.added(file, found, added)
	return nil
}

// attach adds a file's copy to the mirror and waits until it has been read. The copy is zero if it could not be made.
func (m *mirroring) attach(
	ctx context.Context, file *assistants.VectorStoreFile,
) (copied, *assistants.VectorStoreFile, error) {
	found, err := m.copies.file(ctx, m.call, file.ID)
	if err != nil {
		return copied{}, nil, err
	}
	added, err := m.add(ctx, found, file)
	if !isAbsent(err) || isUnreadable(err) {
		return found, added, err
	}
	// The copy is missing, or the mirror is.
	if failure := m.copies.doubt(ctx, m.call, []string{file.ID}, nil); failure != nil {
		return found, nil, failure
	}
	again, failure := m.copies.file(ctx, m.call, file.ID)
	switch {
	case failure != nil:
		return copied{}, nil, failure
	case again.ID == found.ID:
		return found, nil, err
	}
	added, err = m.add(ctx, again, file)
	return again, added, err
}

func (m *mirroring) add(
	ctx context.Context, found copied, file *assistants.VectorStoreFile,
) (*assistants.VectorStoreFile, error) {
	files := m.copies.provider.VectorStoreFiles
	added, err := files.CreateAndPoll(ctx, m.note.ID, addition(found, file), provider.Options()...)
	if err != nil {
		return nil, provider.Failure(err)
	}
	return added, nil
}

// addition is what a file's copy is added with: what the file has.
func addition(found copied, file *assistants.VectorStoreFile) assistants.VectorStoreFileCreateParams {
	return assistants.VectorStoreFileCreateParams{
		FileID: found.ID, Attributes: file.Attributes, ChunkingStrategy: static(file),
	}
}

// added notes what has become of a file that was added.
func (m *mirroring) added(file *assistants.VectorStoreFile, found copied, added *assistants.VectorStoreFile) {
	f := mirrored{ID: found.ID, Attributes: digest(file.Attributes), Chunks: chunksOf(file), Until: found.Until}
	if added.Status != assistants.VectorStoreFileCompleted {
		f.Failed = true
		if added.LastError == nil || added.LastError.Code == provider.CodeServer { // not for good
			f.Until = time.Now().Add(trusted).Unix()
		}
	}
	m.set(file.ID, f)
}

// refused notes that the provider does not take a file, or, where there is a copy, that the mirror does not.
func (m *mirroring) refused(file *assistants.VectorStoreFile, found copied) {
	f := mirrored{ID: found.ID, Chunks: chunksOf(file), Failed: true, Until: found.Until}
	if found.ID == "" {
		f.Until = time.Now().Add(copyLifetime).Unix()
	}
	m.set(file.ID, f)
}

// isUnreadable reports whether the error of a file that was uploaded, or added to a vector store, is about what the
// file is: then another try would bring the same. Two codes are those that files which could not be read have; all
// else is inferred, by words that speak of a file and not of space, rights or the request. Other errors are about
// something that somebody can put right.
func isUnreadable(err error) bool {
	var e *assistants.APIError
	if !errors.As(err, &e) || e.Method != http.MethodPost {
		return false
	}
	switch e.StatusCode {
	case http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
	default:
		return false
	}
	switch e.Code {
	case "unsupported_file", "invalid_file", "file_too_large", "empty_file":
		return true
	}
	text := strings.ToLower(e.Message)
	return slices.ContainsFunc([]string{
		"file is empty", "empty file", "file type", "file format", "file extension", "invalid extension", "with extensions",
		"unsupported file", "file is too large", "file too large", "maximum file size", "file size limit", "corrupt",
	}, func(words string) bool { return strings.Contains(text, words) })
}
