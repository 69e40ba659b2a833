package replay

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
)

// This file is everything that a comparison lets pass, each with its reason. Besides these rules:
//
//   - Headers: OpenAI-Beta is compared, Content-Type where there is a body, Location of a redirect. Others, such as
//     Accept and User-Agent, are every client's own.
//   - Query parameters are compared as sets: their order means nothing.
//   - White space between JSON tokens is not compared: the service indented its answers, which no reader notices.
//   - What was not recorded is not compared, and never counts as equal. A request of which only the answer is known
//     is no equal request. A POST whose body is unknown is not sent to the server and is no equal server answer;
//     GET and DELETE have no body, so they are.
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
	falseLeftOut = rule{
		"false is not written where it is the default, as strict is in a function",
		func(d jsondiff.Difference) bool { return d.Got == any(jsondiff.Absent) && d.Want == false },
	}
	nullIsZero = rule{
		"in a typed answer null is the zero value: it comes back as \"\", or is left out",
		func(d jsondiff.Difference) bool {
			return d.Want == nil && (d.Got == "" || d.Got == any(jsondiff.Absent))
		},
	}
	laterField = rule{
		"a key that this answer does not have yet is zero in the typed answer: it comes back as null or \"\"",
		func(d jsondiff.Difference) bool {
			return d.Want == any(jsondiff.Absent) && (d.Got == nil || d.Got == "")
		},
	}
)

// clientRequestRules are for the body that the client sends, beside the recorded one.
var clientRequestRules = []rule{keyOrder, numberSpelling}

// clientAnswerRules are for the typed answer, written as JSON again, beside the recorded one.
var clientAnswerRules = []rule{keyOrder, numberSpelling, falseLeftOut, nullIsZero, laterField}

// serverRules are for the answer of the server beside one of assistants=v2.
var serverRules = []rule{
	{
		"the service added reasoning_effort to assistants in March 2025, as null where it was not set",
		gained(`(data\[\d+\]\.)?reasoning_effort`, `null`),
	},
	{
		"who recorded the exchange put a placeholder in angle brackets where the service repeated the key",
		hiddenKey,
	},
}

// serverV1Rules are for the answer of the server, which speaks v2 only, beside one of assistants=v1.
var serverV1Rules = append([]rule{
	{"v2 has tool_resources in place of file_ids", gained(`(data\[\d+\]\.)?tool_resources`, `{}`)},
	{"a code interpreter without files has an empty list of them in v2", gained(
		`(data\[\d+\]\.)?tool_resources`, `{"code_interpreter":{"file_ids":[]}}`)},
	{"v2 has tool_resources in place of file_ids", func(d jsondiff.Difference) bool {
		return at(d, `(data\[\d+\]\.)?file_ids`) && d.Got == any(jsondiff.Absent) && text(d.Want) == `[]`
	}},
	{"the service added top_p in April 2024", gained(`(data\[\d+\]\.)?top_p`, `1.0`)},
	{"the service added temperature in April 2024", gained(`(data\[\d+\]\.)?temperature`, `1.0`)},
	{"the service added response_format in April 2024", gained(`(data\[\d+\]\.)?response_format`, `"auto"`)},
}, serverRules...)

// gained is a key that the server answers with this value and that the recorded answer does not have.
func gained(path, value string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		return at(d, path) && d.Want == any(jsondiff.Absent) && text(d.Got) == value
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
