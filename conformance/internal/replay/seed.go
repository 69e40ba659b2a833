package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A Document is an object as the server stores it.
type Document struct {
	In     server.Collection
	Record server.Record
}

// Presupposed are the objects that an exchange needs to find.
type Presupposed struct {
	// Documents are in the order in which they were made.
	Documents []Document
	// Named are known by hardly more than their names. What another exchange knows of them counts more.
	Named []Document
	// More says that a list went on: to objects made before Documents, or, if it was ascending, after them.
	More, Ascending bool
	// Contents are those of files, by their ids.
	Contents map[string][]byte
	// Beyond makes such an object, which is "older" or "newer".
	Beyond func(which string, createdAt int64) (Document, error)
}

// listed sets the documents of a list from how they stood in it.
func (p *Presupposed) listed(documents []Document, rawQuery string) {
	p.Ascending = ascending(rawQuery)
	p.Documents = documents
	if !p.Ascending {
		slices.Reverse(p.Documents)
	}
}

// seed puts into the store what the exchanges presuppose and do not create themselves, and into blobs what is in files.
func seed(store server.Store, blobs server.Blobs, exchanges []*recording.Exchange) error {
	needed, err := presupposed(exchanges)
	if err != nil {
		return err
	}
	type place struct {
		in server.Collection
		id string
	}
	var all, seeds []Document
	contents := make(map[string][]byte)
	made, there := made(exchanges), make(map[place]bool)
	add := func(d Document) {
		if at := (place{d.In, d.Record.ID}); !made[at.id] && !there[at] {
			there[at] = true
			seeds = append(seeds, d)
		}
	}
	for _, p := range needed {
		maps.Copy(contents, p.Contents)
		for _, d := range p.Documents {
			all = append(all, d)
			add(d)
		}
	}
	for _, p := range needed {
		for _, d := range p.Named {
			add(d)
		}
	}
	beyond, err := beyond(needed, all)
	if err != nil {
		return err
	}
	seeds = append(seeds, beyond...)
	slices.SortStableFunc(seeds, func(a, b Document) int {
		return cmp.Compare(a.Record.CreatedAt, b.Record.CreatedAt)
	})
	for _, d := range seeds {
		err := store.Insert(context.Background(), d.In, d.Record)
		if err == nil && d.In.Kind == fileForm.kind {
			err = put(blobs, d.Record.ID, contents[d.Record.ID])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.Record.ID, err)
		}
	}
	return nil
}

// put gives a file its content, or some other if it is not known.
func put(blobs server.Blobs, id string, content []byte) error {
	if content == nil {
		content = []byte("unrecorded")
	}
	_, err := blobs.Put(context.Background(), id, bytes.NewReader(content))
	return err
}

// presupposed is what each of the exchanges presupposes.
func presupposed(exchanges []*recording.Exchange) ([]Presupposed, error) {
	var needed []Presupposed
	for _, e := range exchanges {
		op, _ := Find(e.Method, e.Path)
		if op == nil || !replayable(e) {
			continue
		}
		presupposes := op.Presupposes
		if e.Status != http.StatusOK {
			presupposes = presupposedByRefusal
		}
		for _, presupposes := range []func(*recording.Exchange) (Presupposed, error){presupposes, named} {
			if presupposes == nil {
				continue
			}
			p, err := presupposes(e)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", e, err)
			}
			needed = append(needed, p)
		}
	}
	return needed, nil
}

// beyond are objects on the far side of all others, for lists that were cut off by their limit and not by their end:
// one for each direction that is needed.
func beyond(needed []Presupposed, all []Document) ([]Document, error) {
	var out []Document
	for _, ascending := range []bool{false, true} {
		i := slices.IndexFunc(needed, func(p Presupposed) bool {
			return p.More && p.Beyond != nil && p.Ascending == ascending && len(p.Documents) > 0
		})
		if i < 0 {
			continue
		}
		byAge := func(a, b Document) int { return cmp.Compare(a.Record.CreatedAt, b.Record.CreatedAt) }
		which, at := "older", slices.MinFunc(all, byAge).Record.CreatedAt-1
		if ascending {
			which, at = "newer", slices.MaxFunc(all, byAge).Record.CreatedAt+1
		}
		d, err := needed[i].Beyond(which, at)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// made are the ids of all objects that the replay makes itself: what requests create, all messages of a thread that one
// of them creates, and what runs write that one of them creates.
func made(exchanges []*recording.Exchange) map[string]bool {
	there := make(map[string]bool)
	for _, e := range exchanges {
		for _, id := range createdIDs(e) {
			there[id] = true
		}
	}
	seen := observe(exchanges)
	for thread, messages := range seen.written {
		for i := range messages {
			there[messages[i].ID] = there[messages[i].ID] || there[thread]
		}
	}
	for id, run := range seen.runs {
		if there[id] {
			for i := range run.messages {
				there[run.messages[i].ID] = true
			}
			for i := range run.steps {
				there[run.steps[i].ID] = true
			}
		}
	}
	return there
}

// createdIDs are the ids that exist because of an exchange; none if it creates nothing or cannot be replayed.
func createdIDs(e *recording.Exchange) []string {
	if op, _ := Find(e.Method, e.Path); op == nil || !op.Creates || !replayable(e) {
		return nil
	}
	return mintedIDs(e)
}

// inOrder puts creations in front of the first exchange that knows of what they created: some recorders keep each
// test's preparations in a file of their own, which then follows.
func inOrder(exchanges []*recording.Exchange) []*recording.Exchange {
	ordered := slices.Clone(exchanges)
	for range ordered { // what is moved may know of something else
		moved := false
		for from, e := range ordered {
			to := slices.IndexFunc(ordered[:from], func(o *recording.Exchange) bool { return knowsOf(o, e) })
			if to >= 0 {
				ordered, moved = slices.Insert(slices.Delete(ordered, from, from+1), to, e), true
			}
		}
		if !moved {
			break
		}
	}
	return ordered
}

// knowsOf reports whether an exchange knows of what another one has created. A file that is added to a vector store is not
// created, but those who know of it there come later.
func knowsOf(e, creation *recording.Exchange) bool {
	if op, _ := Find(creation.Method, creation.Path); op != nil && op.ID == "createVectorStoreFile" && replayable(creation) {
		var file struct{ ID string }
		return json.Unmarshal([]byte(creation.ResponseText), &file) == nil && file.ID != "" &&
			strings.HasPrefix(e.Path, creation.Path) && mentions(e, file.ID)
	}
	ids := createdIDs(creation)
	return len(ids) > 0 && mentions(e, ids[0])
}

func mentions(e *recording.Exchange, id string) bool {
	return strings.Contains(e.Path, id) || strings.Contains(e.Query, id) || strings.Contains(e.ResponseText, id) ||
		strings.Contains(string(e.RequestBody), id)
}

// mintedIDs are the ids in the answer to a creation: those of the new objects, and of vector stores made along with them.
func mintedIDs(e *recording.Exchange) []string {
	if e.Status != http.StatusOK {
		return nil
	}
	var ids []string
	for _, object := range createdIn(e) {
		var made struct {
			ID, Object    string
			ThreadID      string `json:"thread_id"`
			ToolResources struct {
				FileSearch struct {
					VectorStoreIDs []string `json:"vector_store_ids"`
				} `json:"file_search"`
			} `json:"tool_resources"`
		}
		if json.Unmarshal(object, &made) != nil {
			continue
		}
		ids = append(ids, made.ID)
		switch {
		case made.Object != "thread.run":
			ids = append(ids, made.ToolResources.FileSearch.VectorStoreIDs...)
		case e.Path == "/v1/threads/runs" && !e.Streamed():
			ids = append(ids, made.ThreadID)
		}
	}
	return ids
}

// createdIn are the objects that the answer to a creation says were made: one, or in a stream the thread and the run.
func createdIn(e *recording.Exchange) []json.RawMessage {
	if !e.Streamed() {
		return []json.RawMessage{json.RawMessage(e.ResponseText)}
	}
	var out []json.RawMessage
	events, _ := frames(e.ResponseText) // checkStream says what is wrong with them
	for _, f := range events {
		if f.name == "thread.created" || f.name == "thread.run.created" {
			out = append(out, json.RawMessage(f.data))
		}
	}
	return out
}
