package server

import (
	"encoding/json"
	"strconv"
)

// chunkingStrategies are how the text of a file can be cut; see section 5.5 of docs/protocol.md.
var chunkingStrategies = variants{
	{"auto", closed{properties: []property{typeKey}}},
	{"static", closed{properties: []property{
		typeKey,
		{key: "static", required: true, rule: closed{
			properties: []property{
				{key: "max_chunk_size_tokens", rule: integer{100, 4096}, required: true},
				{key: "chunk_overlap_tokens", rule: integer{0, 2048}, required: true},
			},
			final: checkChunkOverlap,
		}},
	}}},
}

// autoChunking is how the strategy "auto" is answered.
const autoChunking = `{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}}`

// checkChunkOverlap refuses an overlap of more than half a chunk. The text is
// inferred.
func checkChunkOverlap(path string, o object) *apiError {
	size, _ := strconv.ParseInt(string(o.get("max_chunk_size_tokens")), 10, 64)
	return integer{0, size / 2}.within(member(path, "chunk_overlap_tokens"), string(o.get("chunk_overlap_tokens")))
}

// answeredChunking returns a strategy as it is answered, of which nothing and null mean "auto".
func answeredChunking(given json.RawMessage) json.RawMessage {
	if static := membersOf(given).get("static"); static != nil {
		return given
	}
	return json.RawMessage(autoChunking)
}

// chunkSizes returns what a strategy, as it is answered, says about chunks, in tokens.
func chunkSizes(strategy json.RawMessage) (size, overlap int) {
	static := membersOf(membersOf(strategy).get("static"))
	size, _ = strconv.Atoi(string(static.get("max_chunk_size_tokens")))
	overlap, _ = strconv.Atoi(string(static.get("chunk_overlap_tokens")))
	return size, overlap
}
