package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// newConversation returns a client of a server with an assistant, asst_1, and a thread, thread_1. What its model does
// are the rules. The clock of the server stands still, and its ids count.
func newConversation(rules ...server.Rule) *assistants.Client {
	api := server.New(
		server.WithModel(server.NewScripted(rules...)),
		server.WithClock(func() time.Time { return time.Unix(1698984975, 0) }),
		server.WithIDSource(countedIDs()),
	)
	client, err := assistants.NewClient(assistants.WithHandler(polledOften(api)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	params := assistants.AssistantCreateParams{Model: "gpt-4o", Instructions: "You are polite."}
	if _, err := client.Assistants.Create(ctx, params); err != nil {
		log.Fatal(err)
	}
	if _, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{}); err != nil {
		log.Fatal(err)
	}
	return client
}

// countedIDs returns a source of ids: asst_1, thread_1, thread_2, …
func countedIDs() func(prefix string) string {
	var mu sync.Mutex
	last := map[string]int{}
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return fmt.Sprint(prefix, "_", last[prefix])
	}
}

// polledOften has the answers of a handler ask those who wait for a run to look again at once.
func polledOften(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Openai-Poll-After-Ms", "1")
		h.ServeHTTP(w, r)
	})
}

// says is the rule of a model that always says the same.
func says(text string) server.Rule { return server.Otherwise(server.Say(text)) }

// say adds messages to thread_1.
func say(client *assistants.Client, texts ...string) {
	for _, text := range texts {
		if _, err := client.Messages.Create(context.Background(), "thread_1", assistants.UserMessage(text)); err != nil {
			log.Fatal(err)
		}
	}
}

// runs runs asst_1 on thread_1, and waits for it.
func runs(client *assistants.Client, times int) {
	for range times {
		if _, err := client.Runs.CreateAndPoll(context.Background(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"}); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleThreadsService_Create() {
	ctx, client := context.Background(), newConversation()

	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{
			assistants.UserMessage("Good morning!"),
			{Role: assistants.RoleAssistant, Content: "Good morning, what can I do for you?"},
			assistants.UserMessage("I need to solve the equation `3x + 11 = 14`."),
		},
		Metadata: assistants.Metadata{"user": "4711"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(thread.ID, thread.CreatedAt, thread.Metadata) // keep the id: there is no list of threads
	// Output: thread_2 2023-11-03T04:16:15Z map[user:4711]
}

func ExampleThreadsService_Retrieve() {
	ctx, client := context.Background(), newConversation()

	_, err := client.Threads.Retrieve(ctx, "thread_gone")
	if errors.Is(err, assistants.ErrNotFound) {
		fmt.Println("The conversation is over.")
	}
	// Output: The conversation is over.
}

func ExampleThreadsService_Modify() {
	ctx, client := context.Background(), newConversation()

	thread, err := client.Threads.Modify(ctx, "thread_1", assistants.ThreadModifyParams{
		Metadata: assistants.Set(assistants.Metadata{"topic": "equations"}),
		// ToolResources are left alone.
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(thread.Metadata)
	// Output: map[topic:equations]
}

func ExampleThreadsService_Delete() {
	ctx, client := context.Background(), newConversation()

	deleted, err := client.Threads.Delete(ctx, "thread_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.ID, deleted.Deleted)
	// Output: thread_1 true
}

func ExampleThreadsService_CreateAndRun() {
	ctx, client := context.Background(), newConversation(says("Hello!"))

	run, err := client.Threads.CreateAndRun(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: "asst_1",
		Thread: assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{assistants.UserMessage("Hello?")},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.ID, "in", run.ThreadID, "is", run.Status)
	// Output: run_1 in thread_2 is queued
}

func ExampleThreadsService_CreateAndRunPoll() {
	ctx, client := context.Background(), newConversation(says("Hello!"))

	run, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: "asst_1",
		Thread: assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{assistants.UserMessage("Hello?")},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.Messages.List(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID})
	if err != nil {
		log.Fatal(err)
	}
	for _, message := range page.Data {
		fmt.Println(run.Status, message.Text())
	}
	// Output: completed Hello!
}

func ExampleMessagesService_Create() {
	ctx, client := context.Background(), newConversation()

	books, err := client.Files.Upload(ctx, assistants.FileUploadParams{
		File: strings.NewReader("Moby-Dick, due on 3 May"), Filename: "books.txt",
	})
	if err != nil {
		log.Fatal(err)
	}
	message, err := client.Messages.Create(ctx, "thread_1", assistants.MessageCreateParams{
		Role:    assistants.RoleUser,
		Content: "Which of these books are overdue?",
		Attachments: []assistants.Attachment{{
			FileID: books.ID,
			Tools:  []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.ID, message.Role, message.Text(), message.Attachments[0].FileID)
	// Output: msg_1 user Which of these books are overdue? file_1
}

func ExampleMessagesService_Retrieve() {
	ctx, client := context.Background(), newConversation()
	say(client, "Hello?")

	message, err := client.Messages.Retrieve(ctx, "thread_1", "msg_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.CreatedAt, message.Text())
	// Output: 2023-11-03T04:16:15Z Hello?
}

func ExampleMessagesService_Modify() {
	ctx, client := context.Background(), newConversation()
	say(client, "Hello?")

	message, err := client.Messages.Modify(ctx, "thread_1", "msg_1", assistants.MessageModifyParams{
		Metadata: assistants.Set(assistants.Metadata{"language": "en"}),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.Metadata["language"])
	// Output: en
}

func ExampleMessagesService_Delete() {
	ctx, client := context.Background(), newConversation()
	say(client, "My password is swordfish.")

	deleted, err := client.Messages.Delete(ctx, "thread_1", "msg_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.ID, deleted.Deleted)
	// Output: msg_1 true
}

func ExampleMessagesService_List() {
	ctx, client := context.Background(), newConversation(says("Hello!").Once(), says("I am."))
	say(client, "Are you there?")
	runs(client, 2)

	page, err := client.Messages.List(ctx, "thread_1", assistants.MessageListParams{
		RunID: "run_1", // those that this run wrote
		Limit: 10,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, message := range page.Data {
		fmt.Println(message.Role, message.Text())
	}
	// Output: assistant Hello!
}

func ExampleMessagesService_All() {
	ctx, client := context.Background(), newConversation(says("Yes."))
	say(client, "Hello?", "Are you there?")
	runs(client, 1)

	fromTheBeginning := assistants.MessageListParams{Order: assistants.OrderAsc}
	for message, err := range client.Messages.All(ctx, "thread_1", fromTheBeginning) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", message.Role, message.Text())
	}
	// Output:
	// user: Hello?
	// user: Are you there?
	// assistant: Yes.
}

func ExampleUserMessage() {
	for _, message := range []assistants.MessageCreateParams{
		assistants.UserMessage("What is this?"),
		assistants.UserMessage("What is this?", assistants.ImageFilePart("file-photo")),
	} {
		sent, err := json.Marshal(message)
		fmt.Println(string(sent), err)
	}
	// Output:
	// {"role":"user","content":"What is this?"} <nil>
	// {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_file","image_file":{"file_id":"file-photo"}}]} <nil>
}

func ExampleTextPart() {
	message := assistants.UserMessage("Before:",
		assistants.ImageFilePart("file-before"),
		assistants.TextPart("And after:"),
		assistants.ImageFilePart("file-after"),
	)
	for _, part := range message.Parts {
		fmt.Println(part.Type)
	}
	// Output:
	// text
	// image_file
	// text
	// image_file
}

func ExampleImageFilePart() {
	sent, err := json.Marshal(assistants.ImageFilePart("file-photo"))
	fmt.Println(string(sent), err)
	// Output: {"type":"image_file","image_file":{"file_id":"file-photo"}} <nil>
}

func ExampleImageURLPart() {
	photo := assistants.ImageURLPart("https://host.example/photo.png")
	photo.ImageURL.Detail = assistants.ImageDetailLow // which costs less
	sent, err := json.Marshal(photo)
	fmt.Println(string(sent), err)
	// Output: {"type":"image_url","image_url":{"url":"https://host.example/photo.png","detail":"low"}} <nil>
}

// Marks in a text become footnotes.
func ExampleMessage_Annotations() {
	ctx, client := context.Background(), newConversation(server.Otherwise(
		server.Say("Books can be kept for four weeks."),
		server.Cite("file-rules", "rules.pdf"),
	))
	runs(client, 1)

	message, err := client.Messages.Retrieve(ctx, "thread_1", "msg_1")
	if err != nil {
		log.Fatal(err)
	}
	characters := []rune(message.Text()) // which the places count, and not bytes
	for i, annotation := range message.Annotations() {
		fmt.Printf("%s[%d]\n", string(characters[:annotation.StartIndex]), i+1)
		fmt.Printf("[%d] %s\n", i+1, annotation.FileID())
	}
	// Output:
	// Books can be kept for four weeks.[1]
	// [1] file-rules
}

func ExampleRunsService_Create() {
	ctx, client := context.Background(), newConversation(says("Hello!"))

	run, err := client.Runs.Create(ctx, "thread_1", assistants.RunCreateParams{
		AssistantID:            "asst_1",
		AdditionalInstructions: "The user has a premium account.",
		AdditionalMessages:     []assistants.MessageCreateParams{assistants.UserMessage("Hello?")},
		Temperature:            new(0.0),
		TruncationStrategy:     assistants.TruncationStrategy{LastMessages: 10},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.ID, run.Status, *run.Temperature, run.TruncationStrategy.Type)
	// Output: run_1 queued 0 last_messages
}

func ExampleRunsService_Retrieve() {
	ctx, client := context.Background(), newConversation(says("Hello!"))
	runs(client, 1)

	run, err := client.Runs.Retrieve(ctx, "thread_1", "run_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status, run.Status.Terminal(), run.Usage.TotalTokens)
	// Output: completed true 6
}

func ExampleRunsService_Modify() {
	ctx, client := context.Background(), newConversation(says("Hello!"))
	runs(client, 1)

	run, err := client.Runs.Modify(ctx, "thread_1", "run_1", assistants.RunModifyParams{
		Metadata: assistants.Set(assistants.Metadata{"rating": "5"}),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Metadata)
	// Output: map[rating:5]
}

func ExampleRunsService_List() {
	ctx, client := context.Background(), newConversation(says("Hello!").Once())
	runs(client, 2)

	page, err := client.Runs.List(ctx, "thread_1", assistants.ListParams{Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, run := range page.Data {
		fmt.Println(run.ID, run.Status, run.LastError.Code)
	}
	fmt.Println("more:", page.HasMore)
	// Output:
	// run_2 failed server_error
	// more: true
}

func ExampleRunsService_All() {
	ctx, client := context.Background(), newConversation(says("Hello!").Once(), says("Still here."))
	runs(client, 2)

	tokens := 0
	for run, err := range client.Runs.All(ctx, "thread_1", assistants.ListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		if run.Usage != nil { // nil until a run has ended
			tokens += run.Usage.TotalTokens
		}
	}
	fmt.Println(tokens, "tokens")
	// Output: 20 tokens
}

func ExampleRunsService_Cancel() {
	ctx, client := context.Background(), newConversation(server.Otherwise(server.Say("Once upon a time …"), server.Wait(time.Hour)))
	run, err := client.Runs.Create(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}

	run, err = client.Runs.Cancel(ctx, "thread_1", run.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	run, err = client.Runs.Poll(ctx, "thread_1", run.ID) // it may complete before it hears of that
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// cancelling
	// cancelled
}

func ExampleRunsService_Poll() {
	ctx, client := context.Background(), newConversation(says("Hello!"))
	run, err := client.Runs.Create(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)

	run, err = client.Runs.Poll(ctx, "thread_1", run.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// queued
	// completed
}

func ExampleRunsService_CreateAndPoll() {
	ctx, client := context.Background(), newConversation() // whose model says nothing

	run, err := client.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err) // it could not be created, or not be waited for
	}
	switch run.Status {
	case assistants.RunCompleted:
		fmt.Println("The answer is in the thread.")
	case assistants.RunRequiresAction:
		fmt.Println("It waits for functions:", len(run.FunctionCalls()))
	case assistants.RunFailed:
		fmt.Println("It failed:", run.LastError.Message)
	default:
		fmt.Println("There is no answer:", run.Status)
	}
	// Output: It failed: No rule of the script applies to this call.
}

// ranCode is what the examples of steps look at.
var ranCode = server.Otherwise(server.RunCode("print(6 * 7)", "42\n"), server.Say("It is 42."))

func ExampleRunStepsService_Retrieve() {
	ctx, client := context.Background(), newConversation(ranCode)
	runs(client, 1)

	step, err := client.RunSteps.Retrieve(ctx, "thread_1", "run_1", "step_1")
	if err != nil {
		log.Fatal(err)
	}
	for _, call := range step.StepDetails.ToolCalls {
		fmt.Println(call.CodeInterpreter.Input)
		for _, output := range call.CodeInterpreter.Outputs {
			fmt.Print(output.Logs)
		}
	}
	// Output:
	// print(6 * 7)
	// 42
}

func ExampleRunStepsService_List() {
	ctx, client := context.Background(), newConversation(ranCode)
	runs(client, 1)

	page, err := client.RunSteps.List(ctx, "thread_1", "run_1", assistants.ListParams{Limit: 1}) // the newest
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range page.Data {
		fmt.Println(step.Type, step.StepDetails.MessageCreation.MessageID)
	}
	// Output: message_creation msg_1
}

func ExampleRunStepsService_All() {
	ctx, client := context.Background(), newConversation(ranCode)
	runs(client, 1)

	for step, err := range client.RunSteps.All(ctx, "thread_1", "run_1", assistants.ListParams{Order: assistants.OrderAsc}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(step.ID, step.Type, step.Status)
	}
	// Output:
	// step_1 tool_calls completed
	// step_2 message_creation completed
}

func ExampleWithPollInterval() {
	ctx, client := context.Background(), newConversation(says("Hello!"))

	run, err := client.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithPollInterval(10*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output: completed
}

func ExampleAttributeOf() {
	attributes := assistants.Attributes{
		"title":    assistants.AttributeOf("The Tempest"),
		"year":     assistants.AttributeOf(1611),
		"borrowed": assistants.AttributeOf(true),
	}
	sent, err := json.Marshal(attributes)
	fmt.Println(string(sent), err)
	year, isNumber := attributes["year"].Number()
	fmt.Println(year, isNumber)
	// Output:
	// {"borrowed":true,"title":"The Tempest","year":1611} <nil>
	// 1611 true
}
