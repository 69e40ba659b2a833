package assistants

// A ToolCall is a use of a tool: one that the service made or makes, or one that it asks the caller for. Type says of
// which tool, and the field of that name holds what is known of it.
type ToolCall struct {
	// ID begins with "call_". Outputs refer to it.
	ID              string               `json:"id"`
	Type            ToolType             `json:"type"`
	Function        *FunctionCall        `json:"function,omitzero"`         // of ToolFunction
	CodeInterpreter *CodeInterpreterCall `json:"code_interpreter,omitzero"` // of ToolCodeInterpreter
	FileSearch      *FileSearchCall      `json:"file_search,omitzero"`      // of ToolFileSearch
	Retrieval       *RetrievalCall       `json:"retrieval,omitzero"`        // of ToolRetrieval

	Name        string `json:"name,omitzero"`         // of ToolMCP: what is called
	Arguments   string `json:"arguments,omitzero"`    // of ToolMCP: JSON
	Output      string `json:"output,omitzero"`       // of ToolMCP: what came of it
	ServerLabel string `json:"server_label,omitzero"` // of ToolMCP: the tool's name for its server
}

// A FunctionCall is a call of a function of the caller's.
type FunctionCall struct {
	Name string `json:"name"` // of one of the run's tools
	// Arguments are JSON that the model wrote: it may be invalid, and may not follow the function's schema.
	Arguments string `json:"arguments"`
	// Output is what was submitted, "" before that.
	Output string `json:"output,omitzero"`
}

// A CodeInterpreterCall is code that the model wrote and the service ran.
type CodeInterpreterCall struct {
	Input   string                  `json:"input"`   // Python
	Outputs []CodeInterpreterOutput `json:"outputs"` // what it printed and showed; empty if nothing
}

// A CodeInterpreterOutput is what code printed or showed. Type says which, and the field of that name holds it.
type CodeInterpreterOutput struct {
	Type  CodeInterpreterOutputType `json:"type"`
	Logs  string                    `json:"logs,omitzero"`  // of CodeInterpreterLogs: text
	Image *ImageFile                `json:"image,omitzero"` // of CodeInterpreterImage: a file that was made
}

// A CodeInterpreterOutputType names a kind of output.
type CodeInterpreterOutputType string

// Kinds of output of code.
const (
	CodeInterpreterLogs  CodeInterpreterOutputType = "logs"  // text that was printed
	CodeInterpreterImage CodeInterpreterOutputType = "image" // an image that was shown
)

func (t CodeInterpreterOutputType) known() bool {
	return t == CodeInterpreterLogs || t == CodeInterpreterImage
}

// A FileSearchCall is a search in vector stores.
type FileSearchCall struct {
	RankingOptions *RankingOptions    `json:"ranking_options,omitzero"` // that counted; nil while it is not said
	Results        []FileSearchResult `json:"results,omitzero"`         // best first
}

// A RetrievalCall is a search of v1, of which the service said nothing.
type RetrievalCall struct{}

// A FileSearchResult is a piece of a file that was found.
type FileSearchResult struct {
	FileID   string  `json:"file_id"`   // of the file
	FileName string  `json:"file_name"` // of the file
	Score    float64 `json:"score"`     // 0 to 1
	// Attributes are those of the file in the vector store: strings, numbers and booleans.
	Attributes Attributes `json:"attributes,omitzero"`
	// Content is what the piece says: with [IncludeFileSearchContent] only.
	Content []FileSearchContent `json:"content,omitzero"`
}

// FileSearchContent is a text that was found.
type FileSearchContent struct {
	Type ContentType `json:"type"` // ContentText
	Text string      `json:"text"` // of the piece of the file
}

// A ToolOutput answers a function call.
type ToolOutput struct {
	ToolCallID string `json:"tool_call_id"` // of the call
	Output     string `json:"output"`       // what the model is told; any text, often JSON
}
