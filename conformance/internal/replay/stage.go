package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

const validKey = "conformance"

// A stage is a server of its own, set up for the exchanges of one scenario.
type stage struct {
	handler http.Handler
	close   func() error
	store   server.Store // that the watched one is about
	seen    *observed
	cast    *cast
	reading *readingRoom
	watch   Watcher // nil: nobody
	passed  Passed

	mu      sync.Mutex
	now     time.Time
	later   []int64             // what time it is when messages and steps have been written down, one after the other
	ids     map[string][]string // the next ones, by prefix
	counter int
}

// newStage makes a server with what the exchanges presuppose, and a model that does what was recorded.
func newStage(exchanges []*recording.Exchange) (*stage, error) {
	store, blobs := server.NewMemoryStore(), server.NewMemoryBlobs()
	if err := seed(store, blobs, exchanges); err != nil {
		return nil, fmt.Errorf("preparing the server: %w", err)
	}
	s := &stage{store: store, seen: observe(exchanges), reading: newReadingRoom(), ids: make(map[string][]string)}
	var err error
	if s.cast, err = newCast(s, exchanges); err != nil {
		return nil, fmt.Errorf("preparing the model: %w", err)
	}
	srv := server.New(
		server.WithStore(&watchedStore{store, s}),
		server.WithBlobs(blobs),
		server.WithExtractor(s.reading),
		server.WithClock(s.clock),
		server.WithIDSource(s.nextID),
		server.WithAPIKeys(validKey),
		server.WithModelNames(models(exchanges)...),
		server.WithModel(server.ModelFunc(s.cast.respond)),
		server.WithMaxConcurrentCalls(1),
	)
	s.handler, s.close = srv, srv.Close
	return s, nil
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// setClock sets the time, and what time it will be each time that a message or a step has been written down. What is not
// known, 0, leaves it alone.
func (s *stage) setClock(seconds ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.later = seconds
	s.tick()
}

// tick takes the next of the times that are to come.
func (s *stage) tick() {
	if len(s.later) == 0 {
		return
	}
	if s.later[0] != 0 {
		s.now = time.Unix(s.later[0], 0)
	}
	s.later = s.later[1:]
}

// nextID is the recorded id if there is one, else one that nobody looks at.
func (s *stage) nextID(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := s.ids[prefix]; len(next) > 0 {
		s.ids[prefix] = next[1:]
		return next[0]
	}
	s.counter++
	return fmt.Sprintf("%s_unrecorded%d", prefix, s.counter)
}

// nextIDs forgets about ids that were not needed and says which ones come next, in their order.
func (s *stage) nextIDs(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ids)
	for _, id := range ids {
		if end := strings.IndexAny(id, "_-"); end >= 0 { // that of a file is file-…
			s.ids[id[:end]] = append(s.ids[id[:end]], id)
		}
	}
}

// models are those that the service knew, if it ever said that it did not know one; none means any.
func models(exchanges []*recording.Exchange) []string {
	unknown := false
	known := []string{"gpt-4o"}
	for _, e := range exchanges {
		if strings.Contains(e.ResponseText, `"model_not_found"`) {
			unknown = true
			continue
		}
		var body struct {
			Model string `json:"model"`
		}
		if json.Unmarshal(e.RequestBody, &body) == nil && body.Model != "" {
			known = append(known, body.Model)
		}
	}
	if !unknown {
		return nil
	}
	return known
}

// prepare sets the clock, and the ids that the server is going to need.
func (s *stage) prepare(op *Operation, e *recording.Exchange) error {
	s.nextIDs()
	switch {
	case e.Status != http.StatusOK:
		return nil
	case op.ID == submitOperation:
		s.setClock(s.cast.submittedAt(e))
		return nil
	case op.ID == "cancelRun":
		s.setClock(s.cast.cancelledAt(e))
		return nil
	case op.ID == "modifyVectorStore":
		var changed assistants.VectorStore
		if json.Unmarshal([]byte(e.ResponseText), &changed) == nil {
			s.setClock(int64(changed.LastActiveAt))
		}
		return nil
	case !op.Creates && op.ID != "createVectorStoreFile":
		return nil
	}
	var made struct {
		ID        string `json:"id"`
		CreatedAt int64  `json:"created_at"`
		ThreadID  string `json:"thread_id"`
	}
	ids := mintedIDs(e)
	if objects := createdIn(e); len(objects) > 0 && json.Unmarshal(objects[0], &made) == nil {
		s.setClock(made.CreatedAt)
	}
	switch op.ID {
	case "createThread":
		ids = append(ids, s.cast.notPosted(made.ID)...)
	case "createThreadAndRun":
		ids = append(ids, s.cast.notPosted(cmp.Or(made.ThreadID, made.ID))...)
	case "createRun":
		s.nextIDs(ids...)
		return s.givePurpose(e)
	}
	s.nextIDs(ids...)
	return nil
}

// givePurpose puts a message of a user into a thread that gets a run, where neither is one known of nor has the assistant
// instructions: somebody must have asked for something. In v1 nobody had to.
func (s *stage) givePurpose(e *recording.Exchange) error {
	run := lastRun(e)
	if run.Instructions != "" || len(s.seen.written[run.ThreadID]) > 0 {
		return nil
	}
	d, err := messageForm.known(`{"id":"msg_purpose","thread_id":%q}`, run.ThreadID)
	if err != nil {
		return err
	}
	return s.store.Insert(context.Background(), d.In, d.Record)
}

// A watchedStore tells the stage what becomes of runs, at moments at which the server lets nobody else see them: whoever
// asks next is answered as the run then is.
type watchedStore struct {
	server.Store
	stage *stage
}

func (w *watchedStore) Get(ctx context.Context, c server.Collection, id string) (server.Record, error) {
	if id == understudyID && c.Kind == assistantForm.kind {
		d, err := assistantForm.known(`{"id":%q,"instructions":"Wait."}`, id)
		return d.Record, err
	}
	return w.Store.Get(ctx, c, id)
}

func (w *watchedStore) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	err := w.Store.Insert(ctx, c, r)
	if err == nil && c.Kind == runForm.kind {
		w.stage.cast.made(r.ID)
	}
	return err
}

func (w *watchedStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	if err := w.stage.cast.collapsed(); err != nil {
		return server.Record{}, err
	}
	r, err := w.Store.Update(ctx, c, id, change)
	if err != nil {
		return r, err
	}
	switch c.Kind {
	case storeForm.kind, storeFileForm.kind, batchForm.kind:
		w.stage.reading.change()
	case messageForm.kind, stepForm.kind:
		w.stage.mu.Lock()
		defer w.stage.mu.Unlock()
		w.stage.tick()
	case runForm.kind:
		var run struct{ Status assistants.RunStatus }
		if err := json.Unmarshal(r.Data, &run); err != nil {
			return r, err
		}
		w.stage.cast.changedTo(id, run.Status)
	}
	return r, nil
}
