package server_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

func TestMemoryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	testStoreContract(t, func() server.Store { return server.NewMemoryStore() })
}

// testStoreContract checks a Store against what the server relies on.
func testStoreContract(t *testing.T, newStore func() server.Store) {
	t.Run("records", func(t *testing.T) { t.Parallel(); testStoreRecords(t, newStore()) })
	t.Run("data is not shared", func(t *testing.T) { t.Parallel(); testStoreData(t, newStore()) })
	t.Run("state", func(t *testing.T) { t.Parallel(); testStoreState(t, newStore()) })
	t.Run("dropped collections", func(t *testing.T) { t.Parallel(); testStoreDrop(t, newStore()) })
	t.Run("updates are atomic", func(t *testing.T) { t.Parallel(); testStoreUpdates(t, newStore()) })
	for _, seed := range []uint64{1, 2, 3, 4, 5, 6} {
		t.Run(fmt.Sprintf("model %d", seed), func(t *testing.T) { t.Parallel(); testStoreModel(t, newStore(), seed) })
	}
}

func testStoreRecords(t *testing.T, s server.Store) {
	ctx, c, other := t.Context(), server.Collection{Kind: "a"}, server.Collection{Kind: "a", Parent: "p"}
	keep := func(r server.Record) (server.Record, error) { return r, nil }
	for _, col := range []server.Collection{c, other} {
		_, err := s.Get(ctx, col, "x")
		require.ErrorIs(t, err, server.ErrNotFound)
		_, err = s.Update(ctx, col, "x", keep)
		require.ErrorIs(t, err, server.ErrNotFound)
		require.ErrorIs(t, s.Delete(ctx, col, "x"), server.ErrNotFound)
		var unknown server.UnknownCursorError
		_, err = s.List(ctx, col, server.Query{Limit: 1, Before: "x"})
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, "x", unknown.ID)
		assert.Equal(t, `server: unknown cursor "x"`, unknown.Error())
		listing, err := s.List(ctx, col, server.Query{Limit: 1})
		require.NoError(t, err)
		assert.Empty(t, listing)
	}
	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "x", CreatedAt: 7, Data: []byte("1")}))
	require.ErrorIs(t, s.Insert(ctx, c, server.Record{ID: "x", CreatedAt: 8}), server.ErrExists)
	_, err := s.Get(ctx, other, "x")
	require.ErrorIs(t, err, server.ErrNotFound)
	require.NoError(t, s.Insert(ctx, other, server.Record{ID: "x", CreatedAt: 9, Data: []byte("2")}))

	refusal := errors.New("refused")
	_, err = s.Update(ctx, c, "x", func(server.Record) (server.Record, error) { return server.Record{}, refusal })
	require.Equal(t, refusal, err)
	got, err := s.Update(ctx, c, "x", func(r server.Record) (server.Record, error) {
		return server.Record{ID: "y", CreatedAt: 99, Data: append([]byte("new"), r.Data...)}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, server.Record{ID: "x", CreatedAt: 7, Data: []byte("new1")}, got)

	require.NoError(t, s.Delete(ctx, c, "x"))
	_, err = s.Get(ctx, c, "x")
	require.ErrorIs(t, err, server.ErrNotFound)
	got, err = s.Get(ctx, other, "x")
	require.NoError(t, err)
	assert.Equal(t, "2", string(got.Data))
}

func testStoreData(t *testing.T, s server.Store) {
	ctx, c := t.Context(), server.Collection{Kind: "a"}
	data := []byte("old")
	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "x", Data: data}))
	before, err := s.Get(ctx, c, "x")
	require.NoError(t, err)
	changed := []byte("new")
	_, err = s.Update(ctx, c, "x", func(r server.Record) (server.Record, error) {
		r.Data = changed
		return r, nil
	})
	require.NoError(t, err)
	copy(data, "???")
	copy(changed, "???")
	assert.Equal(t, "old", string(before.Data), "a record that was handed out must stay as it was")
	after, err := s.Get(ctx, c, "x")
	require.NoError(t, err)
	assert.Equal(t, "new", string(after.Data))
}

// State is kept beside Data, in all that hands a record out, and is not shared either.
func testStoreState(t *testing.T, s server.Store) {
	ctx, c := t.Context(), server.Collection{Kind: "a"}
	state, data := []byte("state"), []byte("data")
	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "x", Data: data, State: state}))
	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "y", Data: data}))
	copy(state, "?????")
	before, err := s.Get(ctx, c, "x")
	require.NoError(t, err)
	assert.Equal(t, server.Record{ID: "x", Data: []byte("data"), State: []byte("state")}, before)
	page, err := s.List(ctx, c, server.Query{Limit: 2, Order: server.Ascending})
	require.NoError(t, err)
	assert.Equal(t, before, page.Records[0])
	assert.Empty(t, page.Records[1].State)

	changed := []byte("other")
	got, err := s.Update(ctx, c, "x", func(r server.Record) (server.Record, error) {
		assert.Equal(t, "state", string(r.State))
		r.State = changed
		return r, nil
	})
	require.NoError(t, err)
	copy(changed, "?????")
	assert.Equal(t, server.Record{ID: "x", Data: []byte("data"), State: []byte("other")}, got)
	assert.Equal(t, "state", string(before.State), "a record that was handed out must stay as it was")
	_, err = s.Update(ctx, c, "x", func(r server.Record) (server.Record, error) {
		return server.Record{Data: []byte("new")}, nil
	})
	require.NoError(t, err)
	got, err = s.Get(ctx, c, "x")
	require.NoError(t, err)
	assert.Equal(t, "new", string(got.Data))
	assert.Empty(t, got.State)
}

// A collection that was dropped is one that never was; others of its kind or its parent stay.
func testStoreDrop(t *testing.T, s server.Store) {
	ctx, c := t.Context(), server.Collection{Kind: "a", Parent: "p"}
	others := []server.Collection{{Kind: "a"}, {Kind: "a", Parent: "q"}, {Kind: "b", Parent: "p"}}
	require.NoError(t, s.Drop(ctx, c), "an unknown one")
	for _, col := range append(others, c) {
		for _, id := range []string{"x", "y", "z"} {
			require.NoError(t, s.Insert(ctx, col, server.Record{ID: id, CreatedAt: 1}))
		}
		require.NoError(t, s.Delete(ctx, col, "y"))
	}
	require.NoError(t, s.Drop(ctx, c))
	_, err := s.Get(ctx, c, "x")
	require.ErrorIs(t, err, server.ErrNotFound)
	require.ErrorIs(t, s.Delete(ctx, c, "x"), server.ErrNotFound)
	page, err := s.List(ctx, c, server.Query{Limit: 5})
	require.NoError(t, err)
	assert.Empty(t, page)
	for _, cursor := range []string{"x", "y"} {
		_, err = s.List(ctx, c, server.Query{Limit: 5, After: cursor})
		require.ErrorAs(t, err, new(server.UnknownCursorError), "what was deleted is forgotten too")
	}
	for _, col := range others {
		page, err := s.List(ctx, col, server.Query{Limit: 5, Order: server.Ascending, After: "y"})
		require.NoError(t, err)
		require.Len(t, page.Records, 1)
		assert.Equal(t, "z", page.Records[0].ID)
	}

	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "x", CreatedAt: 2, Data: []byte("again")}))
	got, err := s.Get(ctx, c, "x")
	require.NoError(t, err)
	assert.Equal(t, server.Record{ID: "x", CreatedAt: 2, Data: []byte("again")}, got)
	require.NoError(t, s.Drop(ctx, c))
	require.NoError(t, s.Drop(ctx, c))
}

func testStoreUpdates(t *testing.T, s server.Store) {
	ctx, c := t.Context(), server.Collection{Kind: "a"}
	require.NoError(t, s.Insert(ctx, c, server.Record{ID: "x"}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_, err := s.Update(ctx, c, "x", func(r server.Record) (server.Record, error) {
					r.Data = append(slices.Clone(r.Data), '.')
					return r, nil
				})
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	got, err := s.Get(ctx, c, "x")
	require.NoError(t, err)
	assert.Len(t, got.Data, 400)
}

// A chunk that is full is split where something is inserted into it; what comes
// in at the seam must not be lost or misplaced.
func TestMemoryStoreSplitsAtTheSeam(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), server.Collection{Kind: "a"}
	const full = 512
	for at := int64(250); at <= 262; at++ {
		s := server.NewMemoryStore()
		for i := range int64(full + 1) { // the last one begins a second chunk
			require.NoError(t, s.Insert(ctx, c, server.Record{ID: fmt.Sprint(i), CreatedAt: 2 * i}))
		}
		require.NoError(t, s.Insert(ctx, c, server.Record{ID: "between", CreatedAt: 2*at - 1}))
		l, err := s.List(ctx, c, server.Query{Limit: 2 * full, Order: server.Ascending})
		require.NoError(t, err)
		require.Len(t, l.Records, full+2)
		assert.Equal(t, "between", l.Records[at].ID)
		assert.True(t, slices.IsSortedFunc(l.Records, func(a, b server.Record) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) }))
	}
}

// A collection from which almost everything was deleted must not keep the memory
// of what it was, whatever the order of the deletions.
func TestMemoryStoreShrinks(t *testing.T) {
	t.Parallel()
	const all, every = 50_000, 500
	ascending := make([]int, all)
	for i := range ascending {
		ascending[i] = i
	}
	descending, shuffled := slices.Clone(ascending), slices.Clone(ascending)
	slices.Reverse(descending)
	rand.New(rand.NewPCG(1, 0)).Shuffle(all, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for name, order := range map[string][]int{"ascending": ascending, "descending": descending, "shuffled": shuffled} {
		ctx, c, s := t.Context(), server.Collection{Kind: "a"}, server.NewMemoryStore()
		for i := range all {
			require.NoError(t, s.Insert(ctx, c, server.Record{ID: fmt.Sprint(i), CreatedAt: int64(i)}))
		}
		for _, i := range order {
			if i%every != 0 {
				require.NoError(t, s.Delete(ctx, c, fmt.Sprint(i)))
			}
		}
		chunks, room := s.Chunks(c)
		assert.Equal(t, 1, chunks, name) // two neighbours never have less than half a chunk together
		assert.Less(t, room, 1024, name)
		l, err := s.List(ctx, c, server.Query{Limit: all})
		require.NoError(t, err)
		assert.Len(t, l.Records, all/every, name)
	}
}

// naiveStore is what a store should do, in the plainest way.
type naiveStore struct {
	all []naiveRecord // in order of position, deleted ones too
	seq int
}

type naiveRecord struct {
	server.Record
	seq     int
	deleted bool
}

func (s *naiveStore) insert(r server.Record) {
	s.seq++
	s.all = append(s.all, naiveRecord{Record: r, seq: s.seq})
	slices.SortFunc(s.all, func(a, b naiveRecord) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.seq, b.seq))
	})
}

func (s *naiveStore) list(q server.Query) server.Listing {
	all := slices.Clone(s.all)
	if q.Order == server.Descending {
		slices.Reverse(all)
	}
	at := func(id string) int {
		return slices.IndexFunc(all, func(r naiveRecord) bool { return r.ID == id })
	}
	from, to := 0, len(all)
	if q.After != "" {
		from = at(q.After) + 1
	}
	if q.Before != "" {
		to = max(at(q.Before), from)
	}
	var l server.Listing
	for _, r := range all[from:to] {
		if !r.deleted {
			l.Records = append(l.Records, r.Record)
		}
	}
	if n := len(l.Records); n > q.Limit {
		l.HasMore = true
		if q.Before != "" && q.After == "" {
			l.Records = l.Records[n-q.Limit:]
		} else {
			l.Records = l.Records[:q.Limit]
		}
	}
	return l
}

// testStoreModel does random things to a store and to a naive one. There are
// several chunks' worth of records, the clock jumps, and there are phases in
// which most operations are deletions.
func testStoreModel(t *testing.T, s server.Store, seed uint64) {
	ctx, c := t.Context(), server.Collection{Kind: "a"}
	random := rand.New(rand.NewPCG(seed, 0))
	model := &naiveStore{}
	anyID := func() string {
		if len(model.all) == 0 || random.IntN(3) == 0 {
			return ""
		}
		return model.all[random.IntN(len(model.all))].ID
	}
	for i := range 6000 {
		deleting := i%2000 > 1400
		switch op := random.IntN(10); {
		case op < 2 && deleting || op < 7 && !deleting:
			r := server.Record{ID: fmt.Sprint("id", i), CreatedAt: int64(i / 50), Data: []byte{byte(i)}}
			if random.IntN(4) == 0 {
				r.CreatedAt = random.Int64N(r.CreatedAt+1) - 5
			}
			require.NoError(t, s.Insert(ctx, c, r))
			model.insert(r)
		case op < 8 && len(model.all) > 0:
			r := &model.all[random.IntN(len(model.all))]
			err := s.Delete(ctx, c, r.ID)
			assert.Equal(t, r.deleted, errors.Is(err, server.ErrNotFound))
			r.deleted = true
		default:
			q := server.Query{Limit: 1 + random.IntN(700), Order: server.Order(random.IntN(2)), After: anyID(), Before: anyID()}
			got, err := s.List(ctx, c, q)
			require.NoError(t, err)
			require.Equal(t, model.list(q), got, "%+v", q)
		}
	}
}

func TestTombstonesAreBounded(t *testing.T) {
	t.Parallel()
	const remembered = 65_536
	ctx, c, s := t.Context(), server.Collection{Kind: "a"}, server.NewMemoryStore()
	drop := func(id string) {
		require.NoError(t, s.Insert(ctx, c, server.Record{ID: id}))
		require.NoError(t, s.Delete(ctx, c, id))
	}
	known := func(id string) bool {
		_, err := s.List(ctx, c, server.Query{Limit: 1, After: id})
		return err == nil
	}
	drop("first")
	drop("second")
	drop("first") // again, so it is remembered longer than second
	for i := range remembered - 2 {
		drop(fmt.Sprint(i))
	}
	assert.True(t, known("second"))
	drop("one more")
	assert.False(t, known("second"))
	assert.True(t, known("first"))
	drop("yet one more")
	assert.False(t, known("first"))
	assert.True(t, known("0"))
}

// BenchmarkStoreList shows that the place of a page does not matter, nor what
// has been deleted around it.
func BenchmarkStoreList(b *testing.B) {
	ctx, c, s := context.Background(), server.Collection{Kind: "a"}, server.NewMemoryStore()
	for i := range 1_000_000 {
		if err := s.Insert(ctx, c, server.Record{ID: fmt.Sprint(i), CreatedAt: int64(i / 100)}); err != nil {
			b.Fatal(err)
		}
	}
	for i := 400_000; i < 600_000; i++ {
		if i%500 != 0 {
			if err := s.Delete(ctx, c, fmt.Sprint(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for name, q := range map[string]server.Query{
		"first":  {Limit: 100},
		"deep":   {Limit: 100, After: "300000"},
		"before": {Limit: 100, Before: "300000"},
		"sparse": {Limit: 100, Order: server.Ascending, After: "400000"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if l, err := s.List(ctx, c, q); err != nil || len(l.Records) != 100 {
					b.Fatal(len(l.Records), err)
				}
			}
		})
	}
}
