package conformance

// An exception is a place where recorded behaviour of the service, which the server keeps, is not what its
// description says, or where the client can send what another version or another server of the protocol takes.
type exception struct {
	problem
	because string
}

// exceptions lists all of them. One that nothing needs any more fails the test.
var exceptions = []exception{
	{
		problem{"listAssistants", "answer", "/first_id", "Value is not nullable"},
		"the service wrote null on an empty page, which has no first object",
	},
	{
		problem{"listAssistants", "answer", "/last_id", "Value is not nullable"},
		"the service wrote null on an empty page, which has no last object",
	},
	{
		problem{"createMessage", "request", "/", `property "file_ids" is unsupported`},
		"v1 has files of a message in place of attachments",
	},
	{
		problem{"submitToolOuputsToRun", "request", "/", "at '': additional properties 'tool_approvals' not allowed"},
		"Foundry's: calls of MCP tools are allowed or forbidden where outputs are submitted",
	},
	{
		problem{"submitToolOuputsToRun", "request", "/", "at '': missing property 'tool_outputs'"},
		"Foundry's: a run that waits for approvals gets no outputs",
	},
	{
		problem{"createFile", "answer", "/purpose", `error at "/purpose": at '/purpose': value must be one of 'assistants', ` +
			`'assistants_output', 'batch', 'batch_output', 'fine-tune', 'fine-tune-results', 'vision', 'user_data'`},
		"requests may have the purpose evals, and the service took it",
	},
	{
		problem{"completeUpload", "answer", "/file", `doesn't match any schema from "anyOf"`},
		"the file has null where it does not expire, as all files",
	},
	// The judge names every type of tool that the description has, and what is not right for it.
	{problem{"createRun", "request", "/tools/0/type", `value is not one of the allowed values ["code_interpreter"]`}, otherTool},
	{problem{"createRun", "request", "/tools/0/type", `value is not one of the allowed values ["file_search"]`}, otherTool},
	{problem{"createRun", "request", "/tools/0/type", `value is not one of the allowed values ["function"]`}, otherTool},
	{problem{"createRun", "request", "/tools/0/function", `property "function" is missing`}, otherTool},
}

const otherTool = "a tool of another server's, which the client sends as it is: Foundry has mcp and others"

// excepted returns which exception a problem is, or -1.
func excepted(p problem) int {
	for i, e := range exceptions {
		if e.problem == p {
			return i
		}
	}
	return -1
}

// notOurs are operations of the descriptions that the client has no methods for: which models there are is no part of
// assistants. The server has the first two all the same.
var notOurs = map[string]bool{"listModels": true, "retrieveModel": true, "deleteModel": true}

// notFields are properties that no field stands for, with the reason: version, schema, and the way to the property.
var notFields = map[string]string{
	"v1 CreateRunRequest stream":            "the method says it: Runs.Stream",
	"v2 CreateRunRequest stream":            "the method says it: Runs.Stream",
	"v1 CreateThreadAndRunRequest stream":   "the method says it: Threads.CreateAndRunStream",
	"v2 CreateThreadAndRunRequest stream":   "the method says it: Threads.CreateAndRunStream",
	"v1 SubmitToolOutputsRunRequest stream": "the method says it: Runs.SubmitToolOutputsStream",
	"v2 SubmitToolOutputsRunRequest stream": "the method says it: Runs.SubmitToolOutputsStream",
}

// notEvents are events of the descriptions that have no type, with the reason.
var notEvents = map[string]string{
	"error": "it ends the loop over events, as a StreamError",
	"done":  "it ends the loop over events",
}
