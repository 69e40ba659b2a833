package assistantstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

// This file is an application, a small support desk, and below it the tests that its authors would write.

// A Desk answers customers of a shop.
type Desk struct {
	client    *assistants.Client
	assistant string
	functions []*typed.Function
}

// An Order is what the shop knows of one.
type Order struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Cents  int    `json:"cents"`
}

// A Shop is where the orders are.
type Shop interface {
	Find(ctx context.Context, id string) (Order, error)
	Refund(ctx context.Context, id string) error
}

// ErrBusy is for customers: come back later.
var ErrBusy = errors.New("desk: all our assistants are busy")

const deskName = "Support Desk"

// OpenDesk finds the assistant that an earlier desk has made, or makes one.
func OpenDesk(ctx context.Context, client *assistants.Client, shop Shop) (*Desk, error) {
	type orderID struct {
		ID string `json:"id" jsonschema:"digits"`
	}
	d := &Desk{client: client, functions: []*typed.Function{
		typed.NewFunction("find_order", "Finds an order.", func(ctx context.Context, in orderID) (Order, error) {
			return shop.Find(ctx, in.ID)
		}),
		typed.NewFunction("refund", "Pays the money for an order back.", func(ctx context.Context, in orderID) (string, error) {
			return "done", shop.Refund(ctx, in.ID)
		}),
	}}
	for a, err := range client.Assistants.All(ctx, assistants.ListParams{}) {
		if err != nil {
			return nil, fmt.Errorf("desk: %w", err)
		}
		if a.Name == deskName {
			d.assistant = a.ID
			return d, nil
		}
	}
	var tools []assistants.Tool
	for _, f := range d.functions {
		tools = append(tools, f.Tool())
	}
	a, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model: "gpt-4o", Name: deskName, Instructions: "Help customers of the shop.", Tools: tools,
	})
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	d.assistant = a.ID
	return d, nil
}

// Open begins a conversation with a customer. It may be called again for the same call of the customer.
func (d *Desk) Open(ctx context.Context, customer, callID string) (ticket string, err error) {
	thread, err := d.client.Threads.Create(ctx, assistants.ThreadCreateParams{Metadata: assistants.Metadata{"customer": customer}},
		assistants.WithIdempotencyKey("call-"+callID))
	if err != nil {
		return "", fmt.Errorf("desk: %w", err)
	}
	return thread.ID, nil
}

// Answer writes an answer as it comes. Of an answer that breaks off it writes the whole again, behind a line.
func (d *Desk) Answer(ctx context.Context, ticket, question string, out io.Writer) error {
	if _, err := d.client.Messages.Create(ctx, ticket, assistants.UserMessage(question)); err != nil {
		return explained(err)
	}
	run, err := d.streamed(ctx, ticket, out)
	if run != nil && errors.Is(err, io.ErrUnexpectedEOF) {
		fmt.Fprint(out, "\n---\n")
		run, err = d.polled(ctx, run, out)
	}
	if err != nil {
		return explained(err)
	}
	return explained(run.Err())
}

// streamed runs the assistant on what was asked. The run comes with an error too, if it has begun.
func (d *Desk) streamed(ctx context.Context, ticket string, out io.Writer) (*assistants.Run, error) {
	stream, err := d.client.Runs.Stream(ctx, ticket, assistants.RunCreateParams{AssistantID: d.assistant}, typed.HandleCalls(d.functions...))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			return stream.Run(), err
		}
		fmt.Fprint(out, text)
	}
	return stream.Run(), nil
}

// polled waits for a run that goes on without its stream.
func (d *Desk) polled(ctx context.Context, run *assistants.Run, out io.Writer) (*assistants.Run, error) {
	run, err := d.client.Runs.Poll(ctx, run.ThreadID, run.ID, typed.HandleCalls(d.functions...))
	if err != nil {
		return nil, err
	}
	for m, err := range d.client.Messages.All(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID, Order: assistants.OrderAsc}) {
		if err != nil {
			return nil, err
		}
		fmt.Fprint(out, m.Text())
	}
	return run, nil
}

func explained(err error) error {
	failed, ok := errors.AsType[*assistants.RunError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, assistants.ErrRateLimited), errors.Is(err, assistants.ErrServer), ok && failed.Code == "rate_limit_exceeded":
		return fmt.Errorf("%w: %w", ErrBusy, err)
	default:
		return fmt.Errorf("desk: %w", err)
	}
}

// The tests begin here.

// shelf is a shop for tests.
type shelf struct {
	mu       sync.Mutex
	orders   map[string]Order
	refunded []string
}

func (s *shelf) Find(_ context.Context, id string) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	order, ok := s.orders[id]
	if !ok {
		return Order{}, fmt.Errorf("there is no order %s", id)
	}
	return order, nil
}

func (s *shelf) Refund(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refunded = append(s.refunded, id)
	return nil
}

// newDesk is a desk with a customer, and the API behind it.
func newDesk(t *testing.T, opts ...assistantstest.Option) (*assistantstest.API, *Desk, *shelf, string) {
	t.Helper()
	shop := &shelf{orders: map[string]Order{"4711": {ID: "4711", Status: "lost", Cents: 1999}}}
	api := assistantstest.New(t, opts...)
	desk, err := OpenDesk(t.Context(), api.Client, shop)
	require.NoError(t, err)
	ticket, err := desk.Open(t.Context(), "Jane", "1")
	require.NoError(t, err)
	return api, desk, shop, ticket
}

func TestDeskRefunds(t *testing.T) {
	t.Parallel()
	api, desk, shop, ticket := newDesk(t, assistantstest.WithRules(
		server.When(server.Asked("4711"), server.CallFunction("find_order", `{"id":"4711"}`)),
		server.When(server.Submitted("find_order"), server.CallFunction("refund", `{"id":"4711"}`)),
		server.When(server.Submitted("refund"), server.Say("Your money is on its way.")),
	))
	var out strings.Builder
	require.NoError(t, desk.Answer(t.Context(), ticket, "Where is order 4711?", &out))
	assert.Equal(t, "Your money is on its way.", out.String())
	assert.Equal(t, []string{"4711"}, shop.refunded)

	calls := api.ModelCalls()
	require.Len(t, calls, 3)
	assert.Equal(t, "Help customers of the shop.", calls[0].Instructions)
	assert.JSONEq(t, `{"id":"4711","status":"lost","cents":1999}`, calls[1].Outputs()[0].Function.Output)
	assert.Len(t, api.Requests("POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs"), 2)
}

// The model learns why a function has failed, and the customer from the model.
func TestDeskWithoutOrder(t *testing.T) {
	t.Parallel()
	_, desk, _, ticket := newDesk(t, assistantstest.WithRules(
		server.When(server.Asked("order"), server.CallFunction("find_order", `{"id":"1"}`)),
		server.When(server.Submitted("find_order"), server.Reply(func(call *server.ModelCall) string {
			return "I was told " + call.Outputs()[0].Function.Output
		})),
	))
	var out strings.Builder
	require.NoError(t, desk.Answer(t.Context(), ticket, "My order?", &out))
	assert.Equal(t, `I was told {"error":"there is no order 1"}`, out.String())
}

func TestDeskFindsItsAssistant(t *testing.T) {
	t.Parallel()
	api, first, shop, _ := newDesk(t, assistantstest.WithExpectedRequests("GET /assistants", "POST /assistants", "POST /threads"))
	second, err := OpenDesk(t.Context(), api.Client, shop)
	require.NoError(t, err)
	assert.Equal(t, first.assistant, second.assistant)
	assert.Len(t, api.Requests("POST /assistants"), 1)
}

// A customer who has to call twice has one ticket.
func TestDeskOpensOnce(t *testing.T) {
	t.Parallel()
	_, desk, _, _ := newDesk(t, assistantstest.WithFaults(assistantstest.Fault{On: "POST /threads", Nth: 2, Lost: true}))
	_, err := desk.Open(t.Context(), "Joe", "2")
	require.Error(t, err)
	ticket, err := desk.Open(t.Context(), "Joe", "2")
	require.NoError(t, err)
	assert.Equal(t, "thread_2", ticket)
}

func TestDeskIsBusy(t *testing.T) {
	t.Parallel()
	for _, opt := range []assistantstest.Option{
		assistantstest.WithFaults(assistantstest.Fault{On: "POST /threads/{thread_id}/messages", Status: 429}),
		assistantstest.WithFaults(assistantstest.Fault{On: "POST /threads/{thread_id}/runs", Status: 503}),
		assistantstest.WithRules(server.Otherwise(server.Fail("rate_limit_exceeded", "Slow down."))),
	} {
		_, desk, _, ticket := newDesk(t, opt)
		assert.ErrorIs(t, desk.Answer(t.Context(), ticket, "Hello?", io.Discard), ErrBusy)
	}
}

// An answer that breaks off is still being written: the desk waits for the same run, and begins no other.
func TestDeskAnswersAgain(t *testing.T) {
	t.Parallel()
	const runs = "POST /threads/{thread_id}/runs"
	broken := make(chan struct{})
	api, desk, _, ticket := newDesk(t,
		assistantstest.WithRules(server.Otherwise(server.Say("We open"), server.Until(broken), server.Say(" at nine."))),
		assistantstest.WithFaults(assistantstest.Fault{On: runs, Nth: 1, CutAfter: 8}))
	out := screen{broken: broken}
	require.NoError(t, desk.Answer(t.Context(), ticket, "When?", &out))
	assert.Equal(t, "We\n---\nWe open at nine.", out.String())
	assert.Len(t, api.Requests(runs), 1)
}

// screen is what a customer sees. It says when an answer breaks off.
type screen struct {
	strings.Builder
	broken chan<- struct{}
}

func (s *screen) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "---") {
		close(s.broken)
	}
	return s.Builder.Write(text)
}

// A customer who hangs up leaves no run behind, and waits for nothing.
func TestDeskHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api, desk, _, ticket := newDesk(t, assistantstest.WithRules(server.Otherwise(server.Say("Let me think "), server.Wait(time.Minute))))
		ctx, hangUp := context.WithTimeout(t.Context(), 10*time.Second)
		defer hangUp()
		began := time.Now()
		require.ErrorIs(t, desk.Answer(ctx, ticket, "Why?", io.Discard), context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(began))
		run, err := api.Runs.Poll(t.Context(), ticket, "run_1")
		require.NoError(t, err)
		assert.Equal(t, assistants.RunCancelled, run.Status)
	})
}
