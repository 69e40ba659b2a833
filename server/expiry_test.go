package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// power is what a store and blobs have in common: when it has gone, they write nothing any more.
type power struct {
	mu   sync.Mutex
	left int // writes; less than 0: no end of them
	last string
}

var errKilled = errors.New("killed")

func (p *power) use(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return errKilled
	}
	p.left--
	p.last = what
	return nil
}

// set returns how much power was left.
func (p *power) set(left int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.left
	p.left = left
	return was
}

type poweredStore struct {
	server.Store
	*power
}

func (s poweredStore) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	if err := s.use("insert " + c.Kind); err != nil {
		return err
	}
	return s.Store.Insert(ctx, c, r)
}

func (s poweredStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	if err := s.use("update " + c.Kind); err != nil {
		return server.Record{}, err
	}
	return s.Store.Update(ctx, c, id, change)
}

func (s poweredStore) Delete(ctx context.Context, c server.Collection, id string) error {
	if err := s.use("delete " + c.Kind); err != nil {
		return err
	}
	return s.Store.Delete(ctx, c, id)
}

func (s poweredStore) Drop(ctx context.Context, c server.Collection) error {
	if err := s.use("drop " + c.Kind); err != nil {
		return err
	}
	return s.Store.Drop(ctx, c)
}

type poweredBlobs struct {
	server.Blobs
	*power
}

func (b poweredBlobs) Put(ctx context.Context, id string, content io.Reader) (int64, error) {
	if err := b.use("put a blob"); err != nil {
		return 0, err
	}
	return b.Blobs.Put(ctx, id, content)
}

func (b poweredBlobs) Delete(ctx context.Context, id string) error {
	if err := b.use("delete a blob"); err != nil {
		return err
	}
	return b.Blobs.Delete(ctx, id)
}

// contradictions returns what does not go together in a store and blobs that nobody is at work on.
func contradictions(t testing.TB, memory *server.MemoryStore, blobs *countedBlobs) []string {
	t.Helper()
	all := memory.All()
	there := make(map[string]bool)
	for c, records := range all {
		for _, r := range records {
			there[c.Kind+" "+r.ID] = true
		}
	}
	var bad []string
	want := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	contents, uploads := make(map[string]bool), ""
	for _, u := range all[server.Collection{Kind: "upload"}] {
		uploads += string(u.Data)
	}
	for c, records := range all {
		owner, _, _ := strings.Cut(c.Kind, ".")
		for _, r := range records {
			want(c.Parent == "" || c.Kind == "vector_store.file_batch.file" || there[owner+" "+c.Parent], "%s of nothing", c.Kind)
			switch c.Kind {
			case "file":
				contents[r.ID] = true
				want(blobs.ids[r.ID], "file without content")
				uploaded := field[string](t, string(r.Data), "purpose") == "fine-tune"
				want(!uploaded || strings.Contains(uploads, quoted(r.ID)), "file of an upload that is not completed")
			case "upload.part": // that of an upload which has ended goes when its time is over
				contents[r.ID] = true
			case "file.use":
				want(there[string(r.State)+" "+r.ID], "use by a %s that is not there", r.State)
			case "vector_store.file":
				want(there["file "+r.ID], "store of a file that is not there")
			case "vector_store":
				want(rightCounts(t, r, all[server.Collection{Kind: "vector_store.file", Parent: r.ID}]), "counts: %s", r.Data)
			case "assistant", "thread":
				for _, id := range codeFilesIn(t, r) {
					want(there["file "+id], "%s with a file that is not there", c.Kind)
				}
			case "due":
				want(!strings.HasPrefix(r.ID, "begun-"), "left in the list: %s", r.ID)
			}
		}
	}
	for id := range blobs.ids {
		want(contents[id], "content of nothing: %s", id)
	}
	slices.Sort(bad)
	return slices.Compact(bad)
}

func rightCounts(t testing.TB, store server.Record, files []server.Record) bool {
	t.Helper()
	counts := map[string]int{"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": len(files)}
	for _, f := range files {
		counts[field[string](t, string(f.Data), "status")]++
	}
	return maps.Equal(counts, field[map[string]int](t, string(store.Data), "file_counts")) && counts["in_progress"] == 0
}

func codeFilesIn(t testing.TB, r server.Record) []string {
	t.Helper()
	resources := field[map[string]map[string][]string](t, string(r.Data), "tool_resources")
	return resources["code_interpreter"]["file_ids"]
}

// Wherever a process ends, the next one finds nothing that is half there, at the latest when it has looked after what
// is due.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	const upload = "/v1/uploads/upload_1"
	for name, do := range map[string]func(a *api){
		"upload": func(a *api) {
			a.send("/v1/files", form(formFile("file", "n", "x"), formField("purpose", "assistants"),
				formField("expires_after[anchor]", "created_at"), formField("expires_after[seconds]", "3600")))
		},
		"delete a file":    func(a *api) { a.do("DELETE", "/v1/files/file_1", "") },
		"make a store":     func(a *api) { a.do("POST", stores, `{"file_ids":["file_2","file_3"]}`) },
		"refuse a store":   func(a *api) { a.do("POST", stores, `{"file_ids":["file_2","file_9"]}`) },
		"delete a store":   func(a *api) { a.do("DELETE", stores+"/vs_1", "") },
		"add a part":       func(a *api) { a.send(upload+"/parts", form(formFile("data", "", "y"))) },
		"complete":         func(a *api) { a.do("POST", upload+"/complete", partIDs("part_1")) },
		"cancel":           func(a *api) { a.do("POST", upload+"/cancel", "") },
		"let it expire":    func(a *api) { a.clock.move(3601 * time.Second); a.do("GET", "/v1/files", "") },
		"delete, and more": func(a *api) { a.do("DELETE", "/v1/files/file_1", ""); a.do("DELETE", stores+"/vs_1", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for writes, killed := 0, true; killed; writes++ {
				synctest.Test(t, func(t *testing.T) { killed = killedBehind(t, writes, do) })
				require.Less(t, writes, 100)
			}
		})
	}
}

// killedBehind has a process end behind so many writes of something that it does, if there are as many, and another
// one go on.
func killedBehind(t *testing.T, writes int, do func(*api)) (killed bool) {
	memory, blobs, p := server.NewMemoryStore(), newCountedBlobs(), &power{left: -1}
	a := newAPI(t, server.WithStore(poweredStore{memory, p}), server.WithBlobs(poweredBlobs{blobs, p}))
	a.uploads(3)
	store := a.newStore("file_1")
	a.create(withCode("file_1"))
	a.ok("POST", "/v1/threads", `{"messages":[{"role":"user","content":"x","attachments":[{"file_id":"file_1","tools":[{"type":"code_interpreter"}]}]}]}`)
	a.part(a.begun(1), "x")
	synctest.Wait()
	a.ok("POST", store+"/file_batches", `{"file_ids":["file_1","file_2"]}`)
	synctest.Wait()
	require.Empty(t, contradictions(t, memory, blobs))

	p.set(writes)
	do(a)
	synctest.Wait()
	killed = p.set(0) == 0
	require.NoError(t, a.server.Close())

	b := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs), server.WithIDSource(nil))
	for _, wait := range []time.Duration{0, 5 * time.Hour} {
		b.clock.move(wait)
		b.ok("GET", "/v1/files", "")
		for _, id := range b.ids(stores) {
			b.ok("GET", stores+"/"+id, "")
		}
		synctest.Wait()
		require.Empty(t, contradictions(t, memory, blobs), "behind %d writes, the last of which was %q", writes, p.last)
	}
	require.Empty(t, memory.All()[server.Collection{Kind: "upload.part", Parent: "upload_1"}])
	return killed
}

// expiring makes n files that expire in an hour.
func (a *api) expiring(n int) {
	a.t.Helper()
	for range n {
		got := a.send("/v1/files", form(formField("expires_after[anchor]", "created_at"), formFile("file", "a", "x"),
			formField("expires_after[seconds]", "3600"), formField("purpose", "user_data")))
		require.Equal(a.t, 200, got.status, got.body)
	}
}

// pickyBlobs do not delete some of their blobs.
type pickyBlobs struct {
	*countedBlobs
	deleting func(ctx context.Context, id string) error
}

func (b *pickyBlobs) Delete(ctx context.Context, id string) error {
	if err := b.deleting(ctx, id); err != nil {
		return err
	}
	return b.countedBlobs.Delete(ctx, id)
}

// listedStore counts how often somebody looks into the list of what is due.
type listedStore struct {
	*server.MemoryStore
	lists atomic.Int64
}

func (s *listedStore) List(ctx context.Context, c server.Collection, q server.Query) (server.Listing, error) {
	if c.Kind == "due" {
		s.lists.Add(1)
	}
	return s.MemoryStore.List(ctx, c, q)
}

// What cannot be removed keeps nothing else waiting, and is not tried all the time; nor does anybody look for what is
// not due.
func TestSweepsThatFail(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(string) error{
		"error": func(string) error { return errDisk },
		"panic": func(string) error { panic(errDisk) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobs := &pickyBlobs{countedBlobs: newCountedBlobs()}
			store := &listedStore{MemoryStore: server.NewMemoryStore()}
			a := newAPI(t, server.WithBlobs(blobs), server.WithStore(store))
			tried := 0
			blobs.deleting = func(_ context.Context, id string) error {
				if n, _ := strconv.Atoi(strings.TrimPrefix(id, "file_")); n > 250 {
					return nil
				}
				tried++
				return fail(id)
			}
			a.expiring(255)
			for range 10 {
				a.ok("GET", "/v1/files", "")
			}
			require.LessOrEqual(t, store.lists.Load(), int64(1))
			a.clock.move(time.Hour)
			store.lists.Store(0)
			for range 10 {
				require.Contains(t, a.ok("GET", "/v1/files", ""), `"data":[]`)
			}
			require.Len(t, blobs.ids, 250)
			require.Equal(t, 250, tried)
			require.EqualValues(t, 3, store.lists.Load(), "as many as there are pages")
			blobs.deleting = func(context.Context, string) error { return nil }
			a.clock.move(10 * time.Second)
			for range 3 {
				a.ok("GET", "/v1/files", "")
			}
			blobs.has(t)
			require.Empty(t, dueIn(t, store))
		})
	}
}

// Blobs that take their time keep one request waiting, and that not for long.
func TestSweepsThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blobs := &pickyBlobs{countedBlobs: newCountedBlobs(), deleting: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		a := newAPI(t, server.WithBlobs(blobs))
		a.expiring(20)
		a.clock.move(time.Hour)
		began := time.Now()
		swept := a.later(t.Context(), "/v1/uploads", `{}`)
		synctest.Wait()
		require.Empty(t, swept)
		a.ok("GET", "/v1/files", "")
		require.Zero(t, time.Since(began))
		require.Equal(t, 400, (<-swept).status)
		require.Equal(t, 5*time.Second, time.Since(began))
		blobs.deleting = func(context.Context, string) error { return nil }
		a.clock.move(time.Minute)
		a.ok("GET", "/v1/files", "")
		blobs.has(t)
	})
}

// An upload whose time ends while it is completed is completed, and nobody waits for that.
func TestUploadExpiresWhileItIsCompleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blobs, release := newCountedBlobs(), make(chan struct{})
		a := newAPI(t, server.WithBlobs(blobs))
		upload := a.begun(3)
		part := a.part(upload, "abc")
		blobs.putting = func(string, io.Reader) error { <-release; return nil }
		a.clock.move(3599 * time.Second)
		completed := a.later(t.Context(), upload+"/complete", partIDs(part))
		synctest.Wait()
		a.clock.move(time.Minute)
		for range 3 {
			a.ok("GET", stores, "")
		}
		require.Empty(t, completed)
		close(release)
		got := <-completed
		require.Equal(t, 200, got.status, got.body)
		a.clock.move(time.Minute)
		a.ok("GET", stores, "")
		assert.Equal(t, "abc", a.ok("GET", "/v1/files/file_1/content", ""))
		blobs.has(t, "file_1")
	})
}
