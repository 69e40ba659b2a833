package replay

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// What the exchanges of conversations need to find. Of what they only name, the least that the server takes is made.

// answered presupposes the object of an answer. Keys in without are left at their initial values.
func answered(e *recording.Exchange, f form, without *jsondiff.Object) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	d, err := f.stored(answer, without)
	return Presupposed{Documents: []Document{d}}, err
}

// listed presupposes the objects of a list.
func listed(e *recording.Exchange, f form) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	page, ok := answer.(*jsondiff.Object)
	if !ok {
		return Presupposed{}, fmt.Errorf("the answer is no page")
	}
	items, _ := page.Get("data").([]any)
	var documents []Document
	for _, item := range items {
		d, err := f.stored(item, nil)
		if err != nil {
			return Presupposed{}, err
		}
		documents = append(documents, d)
	}
	p := Presupposed{More: page.Get("has_more") == true}
	p.listed(documents, e.Query)
	return p, nil
}

// naming adds an object that is only known to exist.
func (p Presupposed) naming(f form, format string, args ...any) (Presupposed, error) {
	d, err := f.known(format, args...)
	p.Named = append(p.Named, d)
	return p, err
}

// inThread adds the thread that the path names.
func (p Presupposed) inThread(e *recording.Exchange) (Presupposed, error) {
	return p.naming(threadForm, `{"id":%q}`, elementOf(e.Path, 3))
}

// inRun adds the thread and the run that the path names.
func (p Presupposed) inRun(e *recording.Exchange) (Presupposed, error) {
	p, err := p.inThread(e)
	if err != nil {
		return p, err
	}
	return p.naming(runForm, `{"id":%q,"thread_id":%q}`, elementOf(e.Path, 5), elementOf(e.Path, 3))
}

// elementOf is a part of a path, "" if there is none. The first one is 1, "v1".
func elementOf(path string, n int) string {
	if all := strings.Split(path, "/"); n < len(all) {
		return all[n]
	}
	return ""
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func requestObject(e *recording.Exchange) (*jsondiff.Object, error) {
	request, err := jsondiff.Parse(e.RequestBody)
	if err != nil {
		return nil, err
	}
	o, _ := request.(*jsondiff.Object)
	return o, nil
}

func retrievedThread(e *recording.Exchange) (Presupposed, error) { return answered(e, threadForm, nil) }

func modifiedThread(e *recording.Exchange) (Presupposed, error) {
	changed, err := requestObject(e)
	if err != nil {
		return Presupposed{}, err
	}
	return answered(e, threadForm, changed)
}

func deletedThread(e *recording.Exchange) (Presupposed, error) { return Presupposed{}.inThread(e) }

func threadOfMessage(e *recording.Exchange) (Presupposed, error) { return Presupposed{}.inThread(e) }

func listedMessages(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, messageForm)
	if err != nil {
		return p, err
	}
	return p.inThread(e)
}

// retrievedMessage is in the thread that the path names, which may be another one than the answer says if the request
// was not recorded.
func retrievedMessage(e *recording.Exchange) (Presupposed, error) { return messageBefore(e, nil) }

func modifiedMessage(e *recording.Exchange) (Presupposed, error) {
	changed, err := requestObject(e)
	if err != nil {
		return Presupposed{}, err
	}
	return messageBefore(e, changed)
}

func messageBefore(e *recording.Exchange, without *jsondiff.Object) (Presupposed, error) {
	p, err := answered(e, messageForm, without)
	if err != nil {
		return p, err
	}
	p.Documents[0].In.Parent = elementOf(e.Path, 3)
	return p.inThread(e)
}

func deletedMessage(e *recording.Exchange) (Presupposed, error) {
	d, err := messageForm.known(`{"id":%q,"thread_id":%q}`, lastOf(e.Path), elementOf(e.Path, 3))
	if err != nil {
		return Presupposed{}, err
	}
	return Presupposed{Documents: []Document{d}}.inThread(e)
}

// assistantOfRun is the assistant of a new run: all that the run has and its request did not say is the assistant's.
func assistantOfRun(e *recording.Exchange) (Presupposed, error) {
	run, err := createdRun(e)
	if err != nil || run == nil {
		return Presupposed{}, err
	}
	said := map[string]json.RawMessage{"metadata": nil, "tool_resources": nil, "created_at": nil}
	if e.HasBody() {
		if err := json.Unmarshal(e.RequestBody, &said); err != nil {
			return Presupposed{}, err
		}
	}
	without, err := json.Marshal(said)
	if err != nil {
		return Presupposed{}, err
	}
	not, err := jsondiff.Parse(without)
	if err != nil {
		return Presupposed{}, err
	}
	known := map[string]any{"id": run.Get("assistant_id")}
	for _, f := range assistantForm.fields {
		if f.key != "id" && f.key != "object" && has(run, f.key) && !has(not.(*jsondiff.Object), f.key) {
			known[f.key] = run.Get(f.key)
		}
	}
	text, err := json.Marshal(known)
	if err != nil {
		return Presupposed{}, err
	}
	return Presupposed{}.naming(assistantForm, "%s", text)
}

// createdRun is the run of an answer that creates one, as it was at first; nil if there is none.
func createdRun(e *recording.Exchange) (*jsondiff.Object, error) {
	text := []byte(e.ResponseText)
	if e.Streamed() {
		events, err := frames(e.ResponseText)
		if err != nil {
			return nil, err
		}
		text = []byte(`null`)
		for _, f := range events {
			if f.name == "thread.run.created" {
				text = []byte(f.data)
			}
		}
	}
	answer, err := jsondiff.Parse(text)
	if err != nil {
		return nil, err
	}
	run, _ := answer.(*jsondiff.Object)
	return run, nil
}

func threadOfRun(e *recording.Exchange) (Presupposed, error) {
	p, err := assistantOfRun(e)
	if err != nil {
		return p, err
	}
	return p.inThread(e)
}

// refusedRun is a thread without messages and an assistant without instructions, which no run can go by.
func refusedRun(e *recording.Exchange) (Presupposed, error) {
	request, err := requestObject(e)
	if err != nil || request == nil {
		return Presupposed{}, err
	}
	p, err := Presupposed{}.naming(assistantForm, `{"id":%q}`, request.Get("assistant_id"))
	if err != nil || elementOf(e.Path, 3) == "runs" {
		return p, err
	}
	return p.inThread(e)
}

func listedRuns(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, runForm)
	if err != nil {
		return p, err
	}
	return p.inThread(e)
}

func retrievedRun(e *recording.Exchange) (Presupposed, error) {
	p, err := answered(e, runForm, nil)
	if err != nil {
		return p, err
	}
	return p.inThread(e)
}

func modifiedRun(e *recording.Exchange) (Presupposed, error) {
	changed, err := requestObject(e)
	if err != nil {
		return Presupposed{}, err
	}
	p, err := answered(e, runForm, changed)
	if err != nil {
		return p, err
	}
	return p.inThread(e)
}

// cancelledRun is a run at work, at which the server does not work: it was made before.
func cancelledRun(e *recording.Exchange) (Presupposed, error) {
	cancelling, err := jsondiff.Parse([]byte(`{"status":"cancelling"}`))
	if err != nil {
		return Presupposed{}, err
	}
	p, err := answered(e, runForm, cancelling.(*jsondiff.Object))
	if err != nil {
		return p, err
	}
	d := &p.Documents[0]
	d.Record.Data = []byte(strings.Replace(string(d.Record.Data), `"status":"completed"`, `"status":"in_progress"`, 1))
	return p.inThread(e)
}

var cannotCancel = regexp.MustCompile(`Cannot cancel run with status '(\w+)'`)

// presupposedByRefusal are the objects that must be there for the service to have refused a request as it did.
func presupposedByRefusal(e *recording.Exchange) (Presupposed, error) {
	if strings.Contains(e.ResponseText, `"invalid_thread"`) {
		return refusedRun(e)
	}
	if m := cannotCancel.FindStringSubmatch(e.ResponseText); m != nil {
		p, err := Presupposed{}.inThread(e)
		if err != nil {
			return p, err
		}
		return p.naming(runForm, `{"id":%q,"thread_id":%q,"status":%q}`, elementOf(e.Path, 5), elementOf(e.Path, 3), m[1])
	}
	return Presupposed{}, nil
}

func listedSteps(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, stepForm)
	if err != nil {
		return p, err
	}
	return p.inRun(e)
}

func retrievedStep(e *recording.Exchange) (Presupposed, error) {
	p, err := answered(e, stepForm, nil)
	if err != nil {
		return p, err
	}
	return p.inRun(e)
}

// ascending reports whether a query asks for the oldest objects first.
func ascending(rawQuery string) bool {
	values, _ := url.ParseQuery(rawQuery) // one that cannot be read has no order
	return values.Get("order") == "asc"
}
