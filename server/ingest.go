package server

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/assistants-go/assistants/internal/crew"
)

// ingestor has the files of vector stores read. Its workers are there as long as there is work, and stores with work
// take turns, so that a large batch does not keep a small one waiting. What waits is in progress in the store too:
// what is cancelled leaves the queue at once, so that there is never more in it than is written down there.
type ingestor struct {
	server *Server
	limit  int  // workers at once
	places line // to read a file: as many as workers, and for requests that read one as well
	texts  keptTexts
	crew   crew.Crew

	mu      sync.Mutex
	shelves map[string]*shelf
	waiting list.List // of *shelf: those with files that wait, the one whose turn it is first
	workers int
	closed  bool
}

// maxWorkers is how many files are read at once, at most.
const maxWorkers = 4

func newIngestor(s *Server) *ingestor {
	limit := min(maxWorkers, runtime.GOMAXPROCS(0))
	return &ingestor{server: s, limit: limit, places: line{free: limit}, shelves: make(map[string]*shelf)}
}

// shelf is what this process knows of a vector store, beside what is written down: there is one for each that
// somebody is busy with, or that is looked after. The mutex of the ingestor guards what is not said to be guarded
// otherwise.
type shelf struct {
	id    string
	users int             // who have entered it
	known bool            // it is looked after: its counts are right, and all that is in progress has a job
	jobs  map[string]*job // by file
	queue list.List       // of *job: those that wait
	turn  *list.Element   // in the ingestor's waiting; nil: nothing waits
	open  crew.Crew       // files that are to be read, or are being read

	mu sync.Mutex // locked by whoever changes the store, its files or its batches

	index   chan struct{} // has room for one, who brings the index up to date
	indexed bool          // guarded by index: it is up to date
}

// job is a file that is to be read into a store, or that is being read.
type job struct {
	shelf   *shelf
	fileID  string
	waits   *list.Element // in the queue; nil: it has begun
	ctx     context.Context
	stop    context.CancelFunc
	stopped bool // nothing will come of it
	again   bool // it was stopped, and its file was added anew: that waits for it to return, or a file would be read twice at once
}

func (in *ingestor) shelf(id string) *shelf {
	sh := in.shelves[id]
	if sh == nil {
		sh = &shelf{id: id, jobs: make(map[string]*job), index: make(chan struct{}, 1)}
		in.shelves[id] = sh
	}
	return sh
}

// tidy forgets a store that nobody has to do with.
func (in *ingestor) tidy(sh *shelf) {
	if sh.users == 0 && !sh.known && len(sh.jobs) == 0 {
		delete(in.shelves, sh.id)
	}
}

// enter returns a store for one more user, until leave.
func (in *ingestor) enter(id string) *shelf {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh := in.shelf(id)
	sh.users++
	return sh
}

func (in *ingestor) leave(sh *shelf) {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh.users--
	in.tidy(sh)
}

// lock returns a store for its user alone, until unlock. Whoever has the lock of a thread may take that of a store,
// and not the other way round.
func (in *ingestor) lock(id string) *shelf {
	sh := in.enter(id)
	sh.mu.Lock()
	return sh
}

func (in *ingestor) unlock(sh *shelf) {
	sh.mu.Unlock()
	in.leave(sh)
}

// knows tells whether a store is looked after.
func (in *ingestor) knows(id string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh := in.shelves[id]
	return sh != nil && sh.known
}

// know is for a store whose counts have been found to be right: it is looked after from then on.
func (in *ingestor) know(sh *shelf) { in.setKnown(sh, true) }

// doubt is for a store whose counts may be wrong: it is counted anew when somebody looks at it next.
func (in *ingestor) doubt(sh *shelf) { in.setKnown(sh, false) }

func (in *ingestor) setKnown(sh *shelf, known bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh.known = known
}

// forget ends all work on a store, which is gone.
func (in *ingestor) forget(sh *shelf) {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh.known = false
	for _, j := range sh.jobs {
		in.end(j)
	}
	in.texts.drop(sh.id, "")
}

// add has files read that are in progress in a store. One that is being read already is not read twice.
func (in *ingestor) add(storeID string, fileIDs ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || len(fileIDs) == 0 {
		return
	}
	sh := in.shelf(storeID)
	for _, id := range fileIDs {
		switch old := sh.jobs[id]; {
		case old == nil:
			in.enqueue(sh, id)
		case old.stopped && !old.again:
			old.again = true
			sh.open.Begin()
		}
	}
}

func (in *ingestor) enqueue(sh *shelf, fileID string) {
	j := &job{shelf: sh, fileID: fileID}
	j.waits = sh.queue.PushBack(j)
	sh.jobs[fileID] = j
	sh.open.Begin()
	if sh.turn == nil {
		sh.turn = in.waiting.PushBack(sh)
	}
	in.hire()
}

// dequeue takes a job out of the queue.
func (in *ingestor) dequeue(j *job) {
	sh := j.shelf
	sh.queue.Remove(j.waits)
	if j.waits = nil; sh.queue.Len() == 0 {
		in.waiting.Remove(sh.turn)
		sh.turn = nil
	}
}

// hire begins another worker, if there may be one.
func (in *ingestor) hire() {
	if in.workers < in.limit && !in.closed {
		in.workers++
		in.crew.Go(in.work)
	}
}

// work does jobs until there are none. One that ends the goroutine does not take the worker's place along.
func (in *ingestor) work() {
	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.workers--; in.waiting.Len() > 0 {
			in.hire()
		}
	}()
	for j := in.next(); j != nil; j = in.next() {
		in.do(j)
	}
}

// next begins the job whose turn it is; nil: there is none.
func (in *ingestor) next() *job {
	in.mu.Lock()
	defer in.mu.Unlock()
	first := in.waiting.Front()
	if first == nil {
		return nil
	}
	in.waiting.MoveToBack(first)
	j := first.Value.(*shelf).queue.Front().Value.(*job)
	in.dequeue(j)
	j.ctx, j.stop = context.WithCancel(context.Background())
	return j
}

// place waits for a place to read a file, which is given back with leave.
func (in *ingestor) place(ctx context.Context) (leave func(), err error) {
	t := in.places.join()
	select {
	case <-t.come:
		return func() { in.places.leave(t) }, nil
	case <-ctx.Done():
		in.places.leave(t)
		return nil, ctx.Err()
	}
}

// do does a job. A panic of what the server was given, such as its store, costs the file and not the process.
func (in *ingestor) do(j *job) {
	defer in.done(j)
	defer func() {
		if p := recover(); p != nil {
			in.doubt(j.shelf)
			in.report(j.shelf.id, j.fileID, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	in.server.ingestFile(j)
}

// returned is for a job of which no more will come: whoever adds its file anew from here on waits for its end.
func (in *ingestor) returned(j *job) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !j.stopped {
		in.end(j)
	}
}

// done ends a job that has returned.
func (in *ingestor) done(j *job) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(j.shelf.jobs, j.fileID)
	if j.again {
		in.enqueue(j.shelf, j.fileID)
	}
	in.end(j)
	in.tidy(j.shelf)
}

// end makes sure that nothing comes of a job any more, nor of the one that is to follow it. A job that waits is gone
// with that, another one is gone when it has returned.
func (in *ingestor) end(j *job) {
	if j.again {
		j.again = false
		j.shelf.open.End()
	}
	if j.stopped {
		return
	}
	j.stopped = true
	j.shelf.open.End()
	if j.waits != nil {
		in.dequeue(j)
		delete(j.shelf.jobs, j.fileID)
	} else {
		j.stop()
	}
}

// cancel ends the work on files of a store.
func (in *ingestor) cancel(storeID string, fileIDs ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	sh := in.shelves[storeID]
	if sh == nil {
		return
	}
	for _, id := range fileIDs {
		if j := sh.jobs[id]; j != nil {
			in.end(j)
		}
	}
	in.tidy(sh)
}

// stopped tells whether nothing is to come of a job any more.
func (in *ingestor) stopped(j *job) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return j.stopped
}

// idle returns a channel that is closed when none of a store's files is in progress any more.
func (in *ingestor) idle(storeID string) <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if sh := in.shelves[storeID]; sh != nil {
		return sh.open.Idle()
	}
	return new(crew.Crew).Idle()
}

// close ends all work. What was in progress is so in the store, for the next process to go on with.
func (in *ingestor) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	for _, sh := range in.shelves {
		for _, j := range sh.jobs {
			in.end(j)
		}
	}
}

// wait waits for what has been told to end, as long as there is patience.
func (in *ingestor) wait(patience context.Context) error {
	idle := in.crew.Idle()
	select {
	case <-idle:
		return nil
	case <-patience.Done():
	}
	select {
	case <-idle: // others have used the patience up
		return nil
	default:
		return fmt.Errorf("server: the reading of files has not ended %v after it was told to", closePatience)
	}
}

// report logs why a file could not be read. A logger that panics is the only one to be hurt by it.
func (in *ingestor) report(storeID, fileID string, cause error) {
	defer func() { _ = recover() }()
	in.server.logger.LogAttrs(context.Background(), slog.LevelError, "file of a vector store",
		slog.String("vector_store_id", storeID), slog.String("file_id", fileID), slog.String("cause", fmt.Sprint(cause)))
}
