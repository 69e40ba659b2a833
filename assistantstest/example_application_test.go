package assistantstest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

// A Library is the program under test: it has a model answer readers, which may look for a book.
type Library struct {
	Client *assistants.Client
	Books  map[string]string // the shelf of each
}

// Answer answers one question.
func (l *Library) Answer(ctx context.Context, question string) (string, error) {
	find := typed.NewFunction("find_book", "Says on which shelf a book is.", func(_ context.Context, in struct {
		Title string `json:"title"`
	}) (string, error) {
		if shelf, ok := l.Books[in.Title]; ok {
			return shelf, nil
		}
		return "", fmt.Errorf("there is no %q", in.Title)
	})
	librarian, err := l.Client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o", Tools: []assistants.Tool{find.Tool()}})
	if err != nil {
		return "", err
	}
	run, err := l.Client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: librarian.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)}},
	}, typed.HandleCalls(find))
	if err == nil {
		err = run.Err()
	}
	if err != nil {
		return "", err
	}
	newest, err := l.Client.Messages.List(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID, Limit: 1})
	if err != nil || len(newest.Data) == 0 {
		return "", err
	}
	return newest.Data[0].Text(), nil
}

// testLibrary is a test of it. In a file of tests it is TestLibrary(t *testing.T).
func testLibrary(t testing.TB) {
	api := assistantstest.New(t, assistantstest.WithRules(
		server.When(server.Asked("Emma"), server.CallFunction("find_book", `{"title":"Emma"}`)),
		server.When(server.Submitted("find_book"), server.Reply(func(call *server.ModelCall) string {
			return "Look here: " + call.Outputs()[0].Function.Output
		})),
	))
	library := &Library{Client: api.Client, Books: map[string]string{"Emma": "shelf 7"}}

	answer, err := library.Answer(t.Context(), "Where is Emma?")
	if err != nil || answer != "Look here: shelf 7" {
		t.Errorf("got %q, %v", answer, err)
	}
	if n := len(api.ModelCalls()); n != 2 {
		t.Errorf("the model was asked %d times", n)
	}
	if _, err = library.Answer(t.Context(), "Where is Ulysses?"); err == nil { // for which there is no rule
		t.Errorf("no error")
	}
}

// An example is no test: this one runs one all the same, and prints what it is told.
func Example_application() {
	t := new(printed)
	defer t.end()
	testLibrary(t)
	// Output: assistantstest: no rule answers call 1 of the model in run_2, which is to reply to the message "Where is Ulysses?": add one to WithRules, such as server.When(server.Asked("Where is Ulysses?"), …)
}

// printed is what the example has in place of a *testing.T.
type printed struct {
	testing.TB // nil: a method that is not here is not used
	failed     bool
	cleanups   []func()
}

func (t *printed) Helper()                  {}
func (t *printed) Context() context.Context { return context.Background() }
func (t *printed) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *printed) Failed() bool             { return t.failed }
func (t *printed) Skipped() bool            { return false }
func (t *printed) Logf(string, ...any)      {}

func (t *printed) Errorf(format string, args ...any) {
	t.failed = true
	fmt.Printf(format+"\n", args...)
}

func (t *printed) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *printed) end() {
	for _, f := range t.cleanups {
		f()
	}
}
