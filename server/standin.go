package server

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"
)

// StandIn returns what stands in for a model where there is none: with it a program can be tried, and tested, before it
// has one. It is no model, and says so in what it writes; [WithModel] plugs in a real one.
//
// It knows a few tricks, which are enough to see every part of the protocol at work:
//
//   - It calls the functions that share a word with the question, or that it must call. The arguments fit their JSON
//     Schemas and are made of names, quotations and numbers in the question. Then it repeats the outputs.
//   - With the code interpreter it does sums such as "17 * 4", and solves equations such as "3x + 11 = 14". It works out
//     for itself what the code would print.
//   - With file search it looks for the words of the question in the files and quotes what it finds, with citations.
//   - Where JSON is wanted it writes JSON that fits the schema. Outputs of functions and numbers in the question are
//     used in it, the rest is made up. Patterns, and schemas that contradict themselves, are beyond it.
//   - Anything else it repeats.
//
// It counts tokens as [Scripted] does. The same call is always answered in the same way.
func StandIn() Model { return NewScripted(Otherwise(improvise)) }

// What the stand-in says of itself, as a sentence and in the place of a text.
const (
	standInNote   = "I am a stand-in, not a model; server.WithModel plugs in a real one."
	standInFiller = "made up by a stand-in for a model"
)

// maxImprovisedCalls is how many functions the stand-in calls at once.
const maxImprovisedCalls = 5

func improvise(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
	return perform(ctx, call, yield, improvised(call)...)
}

// improvised is what the stand-in does about a call.
func improvised(call *ModelCall) []Action {
	question := questionOf(call)
	say := func(text string) Action { return Say(inFormat(call, question, text)) }
	if call.Outputs() != nil {
		return []Action{say(repeated(call.Outputs()))}
	}
	choice := call.ToolChoice.Type
	may := func(tool assistants.ToolType) bool { return choice != assistants.ToolChoiceNone && Offered(tool)(call) }
	must := func(tool assistants.ToolType) bool {
		return may(tool) && (choice == assistants.ToolChoiceType(tool) || choice == assistants.ToolChoiceRequired)
	}

	solved, solvable := solve(question)
	solvable = solvable && may(assistants.ToolCodeInterpreter) && choice != assistants.ToolChoiceFileSearch
	if functions := functionsFor(call, question, solvable); len(functions) > 0 {
		return callsOf(functions, question)
	}
	switch {
	case solvable:
		return []Action{RunCode(solved.code, solved.logs), say(solved.text + " " + standInNote)}
	case must(assistants.ToolCodeInterpreter):
		return []Action{RunCode(`print("Hello!")`, "Hello!\n"), say(reaction(question))}
	case must(assistants.ToolFileSearch), may(assistants.ToolFileSearch) && hasVectorStores(call):
		return []Action{quoteFiles}
	case may(assistants.ToolFileSearch):
		return []Action{say(reaction(question) + " I have not searched any files.")}
	}
	return []Action{say(reaction(question))}
}

// reaction is what the stand-in says to what is beyond it.
func reaction(question string) string {
	if question = strings.TrimSpace(question); question == "" {
		return "Hello! " + standInNote
	}
	return "Thank you for your message: “" + echo(question) + "” Alas, " + standInNote
}

// repeated is what functions have said.
func repeated(calls []assistants.ToolCall) string {
	var text strings.Builder
	for _, c := range calls[:min(len(calls), maxImprovisedCalls)] {
		if c.Function != nil {
			text.WriteString(echo(c.Function.Name) + " says: " + echo(c.Function.Output) + "\n")
		}
	}
	return text.String() + standInNote
}

// inFormat is an answer in the format that is wanted: the text, or JSON.
func inFormat(call *ModelCall, question, text string) string {
	switch call.ResponseFormat.Type {
	case assistants.ResponseFormatJSONObject:
		return string(object{{"answer", quote(text)}}.render())
	case assistants.ResponseFormatJSONSchema:
		var schema json.RawMessage
		if format := call.ResponseFormat.JSONSchema; format != nil {
			schema = format.Schema
		}
		m := newMaker(schema, question)
		m.phrases, m.filler, m.generous = nil, standInFiller, true
		m.know(call.Outputs())
		if last := call.LastUserMessage(); last != nil {
			m.day = last.CreatedAt.Time().UTC()
		}
		return string(m.make())
	}
	return text
}

// functionsFor returns the functions that are to be called. solvable says that there is something else to be done.
func functionsFor(call *ModelCall, question string, solvable bool) []*assistants.FunctionDefinition {
	var all []*assistants.FunctionDefinition
	for i := range call.Tools {
		if f := call.Tools[i].Function; f != nil && f.Name != "" {
			all = append(all, f)
		}
	}
	switch choice := call.ToolChoice; choice.Type {
	case assistants.ToolChoiceFunction:
		return slices.DeleteFunc(all, func(f *assistants.FunctionDefinition) bool {
			return choice.Function == nil || f.Name != choice.Function.Name
		})
	case assistants.ToolChoiceNone, assistants.ToolChoiceCodeInterpreter, assistants.ToolChoiceFileSearch:
		return nil
	case assistants.ToolChoiceRequired:
		if about := functionsAbout(question, all, call.ParallelToolCalls); len(about) > 0 || solvable {
			return about
		}
		return all[:min(len(all), 1)]
	}
	return functionsAbout(question, all, call.ParallelToolCalls)
}

// functionsAbout returns the functions that share words with a question: all of them, or the one that shares most.
func functionsAbout(question string, all []*assistants.FunctionDefinition, parallel bool) []*assistants.FunctionDefinition {
	asked := keywords(question)
	var about []*assistants.FunctionDefinition
	most := 0
	for _, f := range all {
		shared := 0
		for word := range keywords(f.Name + " " + f.Description + " " + strings.Join(choices(f.Parameters), " ")) {
			if asked[word] {
				shared++
			}
		}
		switch {
		case shared == 0:
		case parallel && len(about) < maxImprovisedCalls:
			about = append(about, f)
		case !parallel && shared > most:
			about, most = []*assistants.FunctionDefinition{f}, shared
		}
	}
	return about
}

// choices are the values that the parameters of a function list.
func choices(parameters json.RawMessage) []string {
	var texts []string
	properties := parseTree(parameters).member("properties")
	for _, name := range properties.names() {
		texts = append(texts, properties.member(name).member("enum").texts()...)
	}
	return texts
}

func callsOf(functions []*assistants.FunctionDefinition, question string) []Action {
	var actions []Action
	for _, f := range functions {
		arguments := json.RawMessage("{}")
		if parseTree(f.Parameters).member("properties") != nil {
			arguments = newMaker(f.Parameters, question).make()
		}
		actions = append(actions, CallFunction(f.Name, string(arguments)))
	}
	return actions
}
