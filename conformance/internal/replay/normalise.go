package replay

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
)

// This file, answers.go and fileanswers.go are everything that a comparison lets pass, each with its reason. Besides
// these rules:
//
//   - Headers: OpenAI-Beta is compared, Content-Type where there is a body, Location of a redirect. Others, such as
//     Accept and User-Agent, are every client's own.
//   - Forms are compared field by field, whatever their order and the boundary between them: name, file name, what is
//     in it, and the Content-Type if there was one. A file of which only size and checksum were recorded has something
//     else of that size in its place, and is no equal request.
//   - A form that was sent to where the service takes JSON is sent by no typed call: what came back is compared.
//   - Query parameters are compared as sets: their order means nothing.
//   - White space between JSON tokens is not compared: the service indented its answers, which no reader notices.
//   - What was not recorded is not compared, and never counts as equal. A request of which only the answer is known
//     is no equal request. A POST whose body is unknown is not sent to the server and is no equal server answer,
//     unless its answer tells what was asked for, in all that matters to it: see told. GET and DELETE have no body.
//   - Files of vector stores are read when an exchange shows that they have been: see readingRoom. What is in files that
//     nobody recorded is made up, in the recorded size.
//   - That the service failed on its own account, and what it took in 2021 and refuses today, is not asked for again.
//   - What v1 had and v2 has not, has no form in v2: see hasV2Form. The server must refuse the request, but that is no
//     equal server answer: the refusal is held against what is known of the service today, and was not recorded.
//   - Values in metadata that are no strings, which no parameter takes, are sent by WithBodyField: see withoutUntyped.
//   - Ids and times are compared like all values: the server is told which id comes next, and what time it is. So are
//     tokens and scores, which the model is told to say.
//   - What a run says that nobody looked at is not compared: the model says something else.

// A rule lets one kind of difference pass. No two have the same reason.
type rule struct {
	reason string
	passes func(jsondiff.Difference) bool
}

// A Passed set has the reasons of the rules that have let something pass.
type Passed map[string]bool

// Unused are the reasons of rules that have not let anything pass. After a replay of all recordings, each of them stands
// for nothing.
func (p Passed) Unused() []string {
	var out []string
	for _, rules := range allRules {
		for _, r := range rules {
			if !p[r.reason] && !slices.Contains(out, r.reason) {
				out = append(out, r.reason)
			}
		}
	}
	return out
}

// allRules are all tables of rules.
var allRules = [][]rule{
	clientRequestRules, assistantRules, threadRules, messageRules, messageDeltaRules, runRules, stepRules, stepDeltaRules,
	builtMessageRules, builtStepRules, fileRules, storeRules, storeFileRules, foundRules,
	serverRules, serverV1Rules, fileServerRules, storeServerRules,
}

// tolerating turns rules into what jsondiff asks.
func (p Passed) tolerating(rules []rule) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		for _, r := range rules {
			if r.passes(d) {
				p[r.reason] = true
				return true
			}
		}
		return false
	}
}

var (
	keyOrder = rule{
		"typed values have no order of keys",
		func(d jsondiff.Difference) bool { return d.Order },
	}
	numberSpelling = rule{
		"a Go number does not know whether it was written 1 or 1.0",
		func(d jsondiff.Difference) bool { return sameNumber(d.Want, d.Got) },
	}
)

// each leads to an assistant alone, and to all of a list.
const each = `(data\[\d+\]\.)?`

// clientRequestRules are for the body that the client sends, beside the recorded one.
var clientRequestRules = []rule{
	keyOrder,
	numberSpelling,
	{"not to stream is what a run does anyway; the methods that do not stream do not say so", lost(`stream`, `false`)},
}

// noParameters is what the client sends for a thread without anything; the service took no body at all as well.
const noParameters = `{}`

// every leads to an object alone, to all of a list, and to that of an event.
const every = `(data(\[\d+\])?\.)?`

// serverRules are for the answer of the server beside one of assistants=v2.
var serverRules = slices.Concat([]rule{
	{
		"the service added reasoning_effort to assistants and runs in March 2025, as null where it was not set",
		gained(every+`reasoning_effort`, `null`),
	},
	{
		"who recorded the exchange put a placeholder in angle brackets where the service repeated the key",
		hiddenKey,
	},
}, threadServerRules)

// threadServerRules are those for threads and all that is in them.
var threadServerRules = []rule{
	{
		"the description has the status of a message, which the service told in streams alone",
		gainedLike(each+`status`, `"(completed|in_progress|incomplete)"`),
	},
	{
		"the description has why a message is incomplete, which the service told in streams alone",
		gained(each+`incomplete_details`, `null`),
	},
	{
		"the description has when a message was complete or broke off, which the service told in streams alone",
		gainedLike(each+`(incomplete_at|completed_at)`, `null|\d+`),
	},
	{"the description has expired_at of a step, which the service left out", gained(every+`expired_at`, `null`)},
	{"the description has metadata of a step, which the service left out", gained(every+`metadata`, `{}`)},
	{"the answer to the modification of a message still had the files of v1", lost(`file_ids`, `[]`)},
	{"the answer to the modification of a message did not have its attachments yet", gained(`attachments`, `[]`)},
	{"the service added parallel_tool_calls to runs in July 2024", gained(every+`parallel_tool_calls`, `true`)},
	{
		"the service added what of the prompt was cached in January 2025",
		gained(every+`usage\.prompt_token_details`, `{"cached_tokens":0}`),
	},
	{
		"the service added what of the completion was reasoning in September 2025",
		gained(every+`usage\.completion_tokens_details`, `{"reasoning_tokens":0}`),
	},
	{
		"the service took its time between a thread or a run and the messages that came with it",
		secondApart(`data\[\d+\]\.created_at`),
	},
	{"the service named its help center, and the request, where it said that something had gone wrong", somethingWrong},
}

// serverV1Rules are for the answer of the server, which speaks v2 only, beside one of assistants=v1.
var serverV1Rules = slices.Concat([]rule{
	{"v2 has tool_resources in place of file_ids", gained(each+`tool_resources`, `{}`)},
	{"a code interpreter without files has an empty list of them in v2", gained(
		every+`tool_resources`, `{"code_interpreter":{"file_ids":[]}}`)},
	{"v2 has tool_resources and attachments in place of file_ids", lost(every+`file_ids`, `[]`)},
	{"v2 has attachments in place of file_ids", gained(every+`attachments`, `[]`)},
	{"the service added top_p in April 2024", gained(every+`top_p`, `1.0`)},
	{"the service added temperature in April 2024", gained(every+`temperature`, `1.0`)},
	{"the service added response_format in April 2024", gained(every+`response_format`, `"auto"`)},
	{
		"the service added limits in April 2024",
		gained(every+`(max_completion_tokens|max_prompt_tokens|incomplete_details)`, `null`),
	},
	{
		"the service added strategies in April 2024",
		gained(every+`truncation_strategy`, `{"type":"auto","last_messages":null}`),
	},
	{"the service added choices of tools in April 2024", gained(every+`tool_choice`, `"auto"`)},
	{
		"the service added usage, and a required_action that is null, after November 2023",
		gained(each+`(usage|required_action)`, `null`),
	},
	{
		"the files of an assistant are tool resources in v2, which runs do not repeat",
		lostLike(`data\.file_ids`, `\["file-\w+"\]`),
	},
	{"the service added the detail of images in May 2024", gained(`data\.content\[\d+\]\.image_file\.detail`, `"auto"`)},
	{"an image of v1 came together with the beginning of the text behind it", imageAndText},
	{
		"text behind an image of v1 had begun with it, and its first delta has no annotations",
		gained(`data\.delta\.content\[0\]\.text\.annotations`, `[]`),
	},
	{"a message of 2023 had its keys in another order", orderOf2023},
	{
		"a run whose tokens were used up was completed until May 2024",
		turned(`event`, `"thread.run.completed"`, `"thread.run.incomplete"`),
	},
	{
		"the status of a run whose tokens were used up was completed until May 2024",
		turned(`data\.status`, `"completed"`, `"incomplete"`),
	},
}, serverRules)

// orderOf2023 lets the order pass that messages had at first.
func orderOf2023(d jsondiff.Difference) bool {
	keys, _ := d.Want.([]string)
	const order = "id object created_at thread_id role content assistant_id run_id "
	return d.Order && strings.HasPrefix(strings.Join(keys, " "), order)
}

// imageAndText lets a delta pass that has an image, where the recorded one has an empty text as well.
func imageAndText(d jsondiff.Difference) bool {
	both, _ := d.Want.([]any)
	image, _ := d.Got.([]any)
	return at(d, `data\.delta\.content`) && len(both) == 2 && len(image) == 1 &&
		text(both[1]) == `{"index":1,"type":"text","text":{"value":"","annotations":[]}}` &&
		strings.Replace(text(image[0]), `,"detail":"auto"`, ``, 1) == text(both[0])
}

// secondApart lets a time pass that is one second from the recorded one.
func secondApart(path string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		want, ok := d.Want.(json.Number)
		got, ok2 := d.Got.(json.Number)
		if !ok || !ok2 || !at(d, path) {
			return false
		}
		a, err := want.Int64()
		b, err2 := got.Int64()
		return err == nil && err2 == nil && (a-b == 1 || b-a == 1)
	}
}

// somethingWrong lets two messages pass that begin with the same apology.
func somethingWrong(d jsondiff.Difference) bool {
	want, _ := d.Want.(string)
	got, _ := d.Got.(string)
	return at(d, `data\.error\.message`) &&
		strings.HasPrefix(want, "The server had an error processing your request. Sorry about that!") &&
		strings.HasPrefix(got, "The server had an error while processing your request. Sorry about that!")
}

// gained is a key that there is with this value, and that the recorded answer does not have.
func gained(path, value string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Want == any(jsondiff.Absent) && text(d.Got) == value
	}
}

// gainedLike is a key that there is with a value of this form, and that the recorded answer does not have.
func gainedLike(path, form string) func(jsondiff.Difference) bool {
	value := regexp.MustCompile(`^(` + form + `)$`)
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Want == any(jsondiff.Absent) && value.MatchString(text(d.Got))
	}
}

// lostLike is a key that the recorded answer has with a value of this form, and that there is not.
func lostLike(path, form string) func(jsondiff.Difference) bool {
	value := regexp.MustCompile(`^(` + form + `)$`)
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Got == any(jsondiff.Absent) && value.MatchString(text(d.Want))
	}
}

// lost is a key that the recorded answer has with this value, and that there is not.
func lost(path, value string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Got == any(jsondiff.Absent) && text(d.Want) == value
	}
}

// turned is a key whose value is another one than in the recorded answer.
func turned(path, from, to string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && text(d.Want) == from && text(d.Got) == to
	}
}

// missing is a key that has a value in the recorded answer, and here is null or not there.
func missing(path string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && (d.Got == nil || d.Got == any(jsondiff.Absent))
	}
}

func at(d jsondiff.Difference, path string) bool {
	return !d.Order && regexp.MustCompile(`^(`+path+`)$`).MatchString(d.Path)
}

func text(value any) string {
	b, _ := json.Marshal(value) // of what was JSON before
	return string(b)
}

// hiddenKey lets the message about a wrong key pass if they differ only in a placeholder for the key.
func hiddenKey(d jsondiff.Difference) bool {
	want, _ := d.Want.(string)
	got, _ := d.Got.(string)
	key := shownKey(want)
	return d.Path == "error.message" && strings.HasPrefix(key, "<") && strings.HasSuffix(key, ">") &&
		got != "" && strings.Replace(want, key, "", 1) == strings.Replace(got, shownKey(got), "", 1)
}

var wrongKeyMessage = regexp.MustCompile(`^Incorrect API key provided: (\S+)\. `)

// shownKey is the key that a message about a wrong one repeats, or "".
func shownKey(message string) string {
	if m := wrongKeyMessage.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

func sameNumber(a, b any) bool {
	x, ok := a.(json.Number)
	y, ok2 := b.(json.Number)
	if !ok || !ok2 {
		return false
	}
	p, ok := new(big.Rat).SetString(string(x))
	q, ok2 := new(big.Rat).SetString(string(y))
	return ok && ok2 && p.Cmp(q) == 0
}
