package assistants

import (
	"encoding/json"
	"fmt"
)

// ToolResources are what tools work on, for each kind of tool. A nil field is none, and when sending, leaves that
// tool's alone.
type ToolResources struct {
	CodeInterpreter *CodeInterpreterResources `json:"code_interpreter,omitzero"` // files
	FileSearch      *FileSearchResources      `json:"file_search,omitzero"`      // vector stores

	// MCP and AzureAISearch are Foundry's: what it needs to know of each MCP server, and the indexes of a search
	// service, as JSON.
	MCP           []MCPResources  `json:"mcp,omitzero"`
	AzureAISearch json.RawMessage `json:"azure_ai_search,omitzero"`
}

// CodeInterpreterResources are the files that the code interpreter can read.
type CodeInterpreterResources struct {
	// FileIDs are up to 20. An empty slice takes them all away.
	FileIDs []string `json:"file_ids,omitzero"`
	// DataSources are Foundry's: files that are elsewhere, as JSON.
	DataSources []json.RawMessage `json:"data_sources,omitzero"`
}

// FileSearchResources are the vector stores that file search looks into.
type FileSearchResources struct {
	// VectorStoreIDs is at most one. An empty slice takes it away.
	VectorStoreIDs []string `json:"vector_store_ids,omitzero"`
	// VectorStores is at most one, to be made along with the assistant or thread and attached to it; the answer has
	// its id among VectorStoreIDs. Only where something is created, and not together with VectorStoreIDs.
	VectorStores []VectorStoreSpec `json:"vector_stores,omitzero"`
}

// A VectorStoreSpec describes a vector store that is made along with an assistant or a thread.
type VectorStoreSpec struct {
	// FileIDs are the files to be added.
	FileIDs []string `json:"file_ids,omitzero"`
	// ChunkingStrategy is automatic if nil.
	ChunkingStrategy *ChunkingStrategy `json:"chunking_strategy,omitzero"`
	// Metadata is the vector store's own.
	Metadata Metadata `json:"metadata,omitzero"`
}

// A ChunkingStrategy says how files are cut into the pieces that are searched. An empty Type is inferred from Static
// when sending.
type ChunkingStrategy struct {
	Type   ChunkingStrategyType    `json:"type"`
	Static *StaticChunkingStrategy `json:"static,omitzero"` // of ChunkingStatic; needed
}

// A ChunkingStrategyType names a way of cutting files.
type ChunkingStrategyType string

// Ways of cutting files.
const (
	// ChunkingAuto is the service's choice: at present 800 tokens with an overlap of 400.
	ChunkingAuto ChunkingStrategyType = "auto"
	// ChunkingStatic are sizes of one's own.
	ChunkingStatic ChunkingStrategyType = "static"
	// ChunkingOther is what the service says of files from before there were strategies; it cannot be asked for.
	ChunkingOther ChunkingStrategyType = "other"
)

func (t ChunkingStrategyType) known() bool {
	return t == ChunkingAuto || t == ChunkingStatic || t == ChunkingOther
}

// A StaticChunkingStrategy has fixed sizes.
type StaticChunkingStrategy struct {
	// MaxChunkSizeTokens is 100 to 4096.
	MaxChunkSizeTokens int `json:"max_chunk_size_tokens"`
	// ChunkOverlapTokens is at most half of MaxChunkSizeTokens.
	ChunkOverlapTokens int `json:"chunk_overlap_tokens"`
}

// MarshalJSON writes the strategy with its type.
func (c ChunkingStrategy) MarshalJSON() ([]byte, error) {
	typ, err := resolve("chunking strategy", c.Type, variant[ChunkingStrategyType]{ChunkingStatic, c.Static != nil})
	if err != nil {
		return nil, err
	}
	if typ == ChunkingStatic && c.Static == nil {
		return nil, fmt.Errorf("chunking strategy of type %q has no sizes", typ)
	}
	type wire ChunkingStrategy // without this method
	c.Type = typ
	return json.Marshal(wire(c))
}
