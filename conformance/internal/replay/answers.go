package replay

import (
	"slices"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
)

// This file is what a comparison of typed answers, written as JSON again, with recorded ones lets pass, by type.

// rulesFor are the rules for a value of the client's.
func rulesFor(value any) []rule {
	switch value.(type) {
	case *assistants.Thread:
		return threadRules
	case *assistants.Message, *assistants.Page[assistants.Message]:
		return messageRules
	case *assistants.MessageDelta:
		return messageDeltaRules
	case *assistants.Run, *assistants.Page[assistants.Run]:
		return runRules
	case *assistants.RunStep, *assistants.Page[assistants.RunStep]:
		return stepRules
	case *assistants.RunStepDelta:
		return stepDeltaRules
	case *assistants.File, *assistants.Page[assistants.File]:
		return fileRules
	case *assistants.VectorStore, *assistants.Page[assistants.VectorStore]:
		return storeRules
	case *assistants.VectorStoreFile, *assistants.Page[assistants.VectorStoreFile]:
		return storeFileRules
	case *assistants.VectorStoreSearchResults, *assistants.VectorStoreFileContent:
		return foundRules
	}
	return assistantRules
}

// anyAnswerRules are for answers of all types.
var anyAnswerRules = []rule{
	keyOrder,
	numberSpelling,
	{"an empty page has no first and no last id: null is \"\" in Go", turned(`first_id|last_id`, `null`, `""`)},
	{"strict is not written where it is false, its default", lost(each+`tools\[\d+\]\.function\.strict`, `false`)},
	{"weights that are null are not written", lost(each+`tools\[\d+\]\.file_search\.ranking_options\.hybrid_search`, `null`)},
}

var assistantRules = slices.Concat(anyAnswerRules, []rule{
	{"a text that is null is \"\" in Go", turned(each+`(name|description|instructions|reasoning_effort)`, `null`, `""`)},
	{"the service added top_p, temperature and response_format in April 2024; before that they are nil in Go",
		gained(each+`(top_p|temperature|response_format)`, `null`)},
	{"the service added reasoning_effort in March 2025; before that it is \"\" in Go", gained(each+`reasoning_effort`, `""`)},
	{"an assistant of v1 has no tool_resources, nor have examples of v2: they are nil in Go", gained(each+`tool_resources`, `null`)},
})

var threadRules = slices.Concat(anyAnswerRules, []rule{
	{"a thread of v1 has no tool_resources, nor have examples of v2: they are nil in Go", gained(`tool_resources`, `null`)},
})

var messageRules = slices.Concat(anyAnswerRules, []rule{
	{"what the caller wrote has no assistant and no run: null is \"\" in Go", turned(each+`(assistant_id|run_id)`, `null`, `""`)},
	{"what has not happened to a message is not written, as in the service's answers outside of streams",
		lost(each+`(incomplete_details|incomplete_at|completed_at)`, `null`)},
	{"v1 has no attachments, nor has the service's answer to a modification: they are nil in Go", gained(each+`attachments`, `null`)},
})

var messageDeltaRules = slices.Concat(anyAnswerRules, []rule{
	{"a citation in a stream has a quote that is always empty, and is not written",
		lost(`delta\.content\[\d+\]\.text\.annotations\[\d+\]\.file_citation\.quote`, `""`)},
})

var runRules = slices.Concat(anyAnswerRules, []rule{
	{"instructions that are null are \"\" in Go", turned(each+`instructions`, `null`, `""`)},
	{"an effort or a limit that is null is not written",
		lost(each+`(reasoning_effort|max_prompt_tokens|max_completion_tokens|truncation_strategy\.last_messages)`, `null`)},
	{"the service added usage and a required_action that is null after November 2023; before that they are nil in Go",
		gained(each+`(usage|required_action)`, `null`)},
	{"the service added these in April 2024; before that they are nil in Go",
		gained(each+`(temperature|top_p|incomplete_details|truncation_strategy|tool_choice|response_format)`, `null`)},
})

var stepRules = slices.Concat(anyAnswerRules, []rule{
	{"the service added usage after November 2023; before that it is nil in Go", gained(each+`usage`, `null`)},
	{"the description and its examples have expired_at where the service had expires_at; the first is not written if null",
		lost(each+`expired_at`, `null`)},
	{"the description and its examples have expired_at where the service had expires_at; the second is nil in Go",
		gained(each+`expires_at`, `null`)},
})

var stepDeltaRules = slices.Concat(anyAnswerRules, []rule{
	{"the name of a function comes once; in later deltas it is \"\" in Go", gained(called+`function\.name`, `""`)},
	{"a function without an output yet has null, which is \"\" in Go and not written", lost(called+`function\.output`, `null`)},
	{"code begins empty, which adds nothing and is not written", lost(called+`code_interpreter\.input`, `""`)},
})

// called leads to a call of a tool in a delta.
const called = `delta\.step_details\.tool_calls\[\d+\]\.`

// builtMessageRules are for a message that was built from deltas alone, beside the finished one.
var builtMessageRules = slices.Concat(messageRules, []rule{
	{"only its end says that a message has ended", turned(`status`, `"completed"`, `"in_progress"`)},
	{"only its end says when a message ended", missing(`completed_at|incomplete_at`)},
})

// builtStepRules are for a step that was built from deltas alone, beside the finished one.
var builtStepRules = slices.Concat(stepRules, []rule{
	{"only its end says that a step has ended", turned(`status`, `"completed"`, `"in_progress"`)},
	{"only its end says when a step ended", missing(`completed_at`)},
	{"only its end says what a step cost", missing(`usage`)},
	{"no delta had results of a search: they came with the end, whole", func(d jsondiff.Difference) bool {
		return at(d, `step_details\.tool_calls\[\d+\]\.file_search\.results`) && text(d.Got) == `[]`
	}},
})
