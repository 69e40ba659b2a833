package replay

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
)

// This file and answers.go are everything that a comparison lets pass, each with its reason. Besides these rules:
//
//   - Headers: OpenAI-Beta is compared, Content-Type where there is a body, Location of a redirect. Others, such as
//     Accept and User-Agent, are every client's own.
//   - Query parameters are compared as sets: their order means nothing.
//   - White space between JSON tokens is not compared: the service indented its answers, which no reader notices.
//   - What was not recorded is not compared, and never counts as equal. A request of which only the answer is known
//     is no equal request. A POST whose body is unknown is not sent to the server and is no equal server answer;
//     GET and DELETE have no body, so they are.
//   - An answer to v1 that has the retrieval tool or files has no form in v2. The server must refuse the request, but
//     that is no equal server answer: the refusal is held against what is known of the service today, and was not
//     recorded.
//   - Values in metadata that are no strings, which no parameter takes, are sent by WithBodyField: see withoutUntyped.
//   - Ids and times are compared like all values: the server is told which id comes next, and what time it is.

// A rule lets one kind of difference pass.
type rule struct {
	reason string
	passes func(jsondiff.Difference) bool
}

// tolerating turns rules into what jsondiff asks.
func tolerating(rules []rule) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		for _, r := range rules {
			if r.passes(d) {
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

// serverRules are for the answer of the server beside one of assistants=v2.
var serverRules = []rule{
	{
		"the service added reasoning_effort to assistants in March 2025, as null where it was not set",
		gained(each+`reasoning_effort`, `null`),
	},
	{
		"who recorded the exchange put a placeholder in angle brackets where the service repeated the key",
		hiddenKey,
	},
}

// serverV1Rules are for the answer of the server, which speaks v2 only, beside one of assistants=v1.
var serverV1Rules = append([]rule{
	{"v2 has tool_resources in place of file_ids", gained(each+`tool_resources`, `{}`)},
	{"a code interpreter without files has an empty list of them in v2", gained(
		each+`tool_resources`, `{"code_interpreter":{"file_ids":[]}}`)},
	{"v2 has tool_resources in place of file_ids", lost(each+`file_ids`, `[]`)},
	{"the service added top_p in April 2024", gained(each+`top_p`, `1.0`)},
	{"the service added temperature in April 2024", gained(each+`temperature`, `1.0`)},
	{"the service added response_format in April 2024", gained(each+`response_format`, `"auto"`)},
}, serverRules...)

// gained is a key that there is with this value, and that the recorded answer does not have.
func gained(path, value string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Want == any(jsondiff.Absent) && text(d.Got) == value
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
