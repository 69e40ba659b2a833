package conformance

// An exception is a place where recorded behaviour of the service, which the server keeps, is not what its
// description says.
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
}

// excepted returns which exception a problem is, or -1.
func excepted(p problem) int {
	for i, e := range exceptions {
		if e.problem == p {
			return i
		}
	}
	return -1
}

// notOurs are operations of the descriptions that the module does not have, with the reason.
var notOurs = map[string]string{
	"v1 listAssistantFiles":  "v2 replaced the files of an assistant by tool_resources",
	"v1 createAssistantFile": "v2 replaced the files of an assistant by tool_resources",
	"v1 getAssistantFile":    "v2 replaced the files of an assistant by tool_resources",
	"v1 deleteAssistantFile": "v2 replaced the files of an assistant by tool_resources",
}
