package responses

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// mirrorDays is for how long a mirror stays with the provider when no run uses it, as long as the vector store that
// the original API made for a thread.
const mirrorDays = 7

// storeCopies are the provider's copies of the vector stores of a run.
type storeCopies struct {
	ids       []string // the provider's
	originals map[string]string
}

// original returns the file that one of the provider's is a copy of.
func (s *storeCopies) original(providerFileID string) (fileID string, ok bool) {
	fileID, ok = s.originals[providerFileID]
	return fileID, ok
}

// stores returns copies of vector stores, which have the files that the vector stores have now, with their
// attributes. Files that the provider cannot read are left out, as are vector stores that are gone or have expired,
// like everywhere in the server. If nothing has changed, nobody is asked.
func (c *copies) stores(ctx context.Context, call *server.ModelCall, storeIDs []string) (*storeCopies, error) {
	found := &storeCopies{originals: make(map[string]string)}
	for _, id := range storeIDs {
		m, err := c.mirror(ctx, call, id)
		if errors.Is(err, server.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found.ids = append(found.ids, m.ID)
		for fileID, f := range m.Files {
			if !f.Failed {
				found.originals[f.ID] = fileID
			}
		}
	}
	return found, nil
}

// A mirror is the note about a vector store: what the provider's copy of it has.
type mirror struct {
	ID    string              `json:"id"`            // the provider's
	Seen  int64               `json:"seen,omitzero"` // when it was last known to be there, in Unix seconds
	Files map[string]mirrored `json:"files"`         // by their ids in our vector store
}

// A mirrored file is one in a mirror.
type mirrored struct {
	ID         string `json:"id,omitzero"`         // the provider's; "" if there is no copy, since it was refused
	Attributes string `json:"attributes,omitzero"` // a digest of them
	Chunks     string `json:"chunks,omitzero"`     // how it is cut
	Failed     bool   `json:"failed,omitzero"`     // the provider cannot read it
	Until      int64  `json:"until,omitzero"`      // when it is to be copied anew, in Unix seconds; 0: never
}

// mirror brings the copy of a vector store up to date. The error is server.ErrNotFound if the vector store is gone.
func (c *copies) mirror(ctx context.Context, call *server.ModelCall, storeID string) (*mirror, error) {
	release, err := c.locks.acquire(ctx, storeID)
	if err != nil {
		return nil, err
	}
	defer release()
	var ours []*assistants.VectorStoreFile
	for file, err := range call.VectorStoreFiles(ctx, storeID) {
		if err != nil {
			return nil, err
		}
		ours = append(ours, file)
	}
	m := &mirroring{copies: c, call: call, storeID: storeID, ours: ours}
	if m.note, err = readNote[mirror](ctx, c, call, storeID, storeNote); err != nil {
		return nil, err
	}
	if m.note.Files == nil {
		m.note.Files = make(map[string]mirrored)
	}
	err = m.sync(ctx)
	if isAbsent(err) { // something was taken for granted that is not there
		m.note.Seen = 0
		err = m.sync(ctx)
	}
	if m.changed {
		if failure := m.save(ctx); err == nil {
			err = failure
		}
	}
	return &m.note, err
}

// A mirroring is a mirror that is being brought up to date, by somebody who has the lock.
type mirroring struct {
	copies  *copies
	call    *server.ModelCall
	storeID string
	ours    []*assistants.VectorStoreFile // that are to be in the mirror

	mu      sync.Mutex
	note    mirror // of what has been done
	changed bool   // and not written down
}

func (m *mirroring) save(ctx context.Context) error {
	m.changed = false
	return writeNote(ctx, m.copies, m.call, m.storeID, storeNote, m.note)
}

func (m *mirroring) sync(ctx context.Context) error {
	if err := m.look(ctx); err != nil {
		return err
	}
	if m.note.ID == "" {
		if err := m.create(ctx); err != nil {
			return err
		}
	}
	changes, missing := m.differences()
	err := each(len(changes), func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return changes[i](ctx)
	})
	if err != nil {
		return err
	}
	return m.put(ctx, missing)
}

// look finds out whether the mirror is still there and whole, if that has not been known for a while.
func (m *mirroring) look(ctx context.Context) error {
	if m.note.ID == "" || recent(m.note.Seen, trusted) {
		return nil
	}
	store, err := m.copies.provider.VectorStores.Retrieve(ctx, m.note.ID, provider.Options()...)
	switch {
	case isAbsent(err) || err == nil && store.Status == assistants.VectorStoreExpired:
		m.note, m.changed = mirror{}, true
		return nil
	case err != nil:
		return provider.Failure(err)
	}
	if err := m.compare(ctx); err != nil {
		return err
	}
	m.note.Seen, m.changed = time.Now().Unix(), true
	return nil
}

// compare takes files out of the note that somebody else has taken out of the mirror, and out of the mirror what is
// not in the note, such as a file that was added when the process ended.
func (m *mirroring) compare(ctx context.Context) error {
	there := make(map[string]bool)
	params := assistants.VectorStoreFileListParams{Filter: assistants.VectorStoreFileCompleted, Limit: 100}
	for file, err := range m.copies.provider.VectorStoreFiles.All(ctx, m.note.ID, params, provider.Options()...) {
		if err != nil {
			return provider.Failure(err)
		}
		there[file.ID] = true
	}
	for id, f := range m.note.Files {
		if !f.Failed && !there[f.ID] {
			delete(m.note.Files, id)
		}
		delete(there, f.ID)
	}
	var strange []string
	for id := range there {
		strange = append(strange, id)
	}
	return each(len(strange), func(i int) error { return m.detach(ctx, strange[i]) })
}

// create makes the mirror. It is called what it is a copy of, for whoever finds it among their own.
func (m *mirroring) create(ctx context.Context) error {
	store, err := m.copies.provider.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{
		Name: m.storeID, ExpiresAfter: &assistants.VectorStoreExpiration{Days: mirrorDays},
	}, provider.Options()...)
	if err != nil {
		return provider.Failure(err)
	}
	m.note = mirror{ID: store.ID, Seen: time.Now().Unix(), Files: make(map[string]mirrored)}
	return m.save(ctx)
}

// differences are what is to be changed, and the files that are to be put into the mirror then.
func (m *mirroring) differences() (changes []func(context.Context) error, missing []*assistants.VectorStoreFile) {
	wanted := make(map[string]bool, len(m.ours))
	for _, file := range m.ours {
		f, there := m.note.Files[file.ID]
		switch {
		case !there || over(f.Until) || f.Chunks != chunksOf(file):
			missing = append(missing, file) // and what is there in its place is removed
		case f.Attributes != digest(file.Attributes) && !f.Failed:
			changes = append(changes, func(ctx context.Context) error { return m.describe(ctx, file, f) })
			wanted[file.ID] = true
		default:
			wanted[file.ID] = true
		}
	}
	for id, f := range m.note.Files {
		if !wanted[id] {
			changes = append(changes, func(ctx context.Context) error { return m.remove(ctx, id, f) })
		}
	}
	return changes, missing
}

// remove takes a file out of the mirror.
func (m *mirroring) remove(ctx context.Context, fileID string, f mirrored) error {
	if err := m.detach(ctx, f.ID); err != nil {
		return err
	}
	m.forget(fileID)
	return nil
}

// describe changes the attributes of a file in the mirror.
func (m *mirroring) describe(ctx context.Context, file *assistants.VectorStoreFile, f mirrored) error {
	_, err := m.copies.provider.VectorStoreFiles.Modify(ctx, m.note.ID, f.ID,
		assistants.VectorStoreFileModifyParams{Attributes: file.Attributes}, provider.Options()...)
	if errors.Is(err, assistants.ErrNotFound) {
		m.forget(file.ID)
	}
	if err != nil {
		return provider.Failure(err)
	}
	f.Attributes = digest(file.Attributes)
	m.set(file.ID, f)
	return nil
}

// detach takes one of the provider's files out of the mirror; "" is none.
func (m *mirroring) detach(ctx context.Context, providerFileID string) error {
	if providerFileID == "" {
		return nil
	}
	_, err := m.copies.provider.VectorStoreFiles.Delete(ctx, m.note.ID, providerFileID, provider.Options()...)
	if err == nil || errors.Is(err, assistants.ErrNotFound) {
		return nil
	}
	return provider.Failure(err)
}

func (m *mirroring) set(fileID string, f mirrored) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note.Files[fileID], m.changed = f, true
}

func (m *mirroring) forget(fileID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.note.Files[fileID]; there {
		delete(m.note.Files, fileID)
		m.changed = true
	}
}

// digest tells attributes from others.
func digest(attributes assistants.Attributes) string {
	if len(attributes) == 0 {
		return ""
	}
	raw, err := json.Marshal(attributes) // sorted
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// static is how a file is cut; nil leaves it to the provider.
func static(file *assistants.VectorStoreFile) *assistants.ChunkingStrategy {
	if strategy := file.ChunkingStrategy; strategy != nil && strategy.Static != nil {
		return strategy
	}
	return nil
}

// chunksOf tells how a file is cut from other ways.
func chunksOf(file *assistants.VectorStoreFile) string {
	strategy := static(file)
	if strategy == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", strategy.Static.MaxChunkSizeTokens, strategy.Static.ChunkOverlapTokens)
}
