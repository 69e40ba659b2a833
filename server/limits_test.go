package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

func tooLong(path string, limit, got int, body string) invalidBody {
	return invalidBody{body, fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length %d, "+
		"but got a string with length %d instead.", path, limit, got), path, "string_above_max_length"}
}

func empty(path, body string) invalidBody {
	return invalidBody{body, fmt.Sprintf("Invalid '%s': empty string. Expected a string with minimum length 1, "+
		"but got an empty string instead.", path), path, "empty_string"}
}

func badName(path, body string) invalidBody {
	return invalidBody{body, fmt.Sprintf("Invalid '%s': string does not match pattern. Expected a string that matches the pattern "+
		"'^[a-zA-Z0-9_-]+$'.", path), path, "invalid_value"}
}

func tooMany(path string, limit, got int, body string) invalidBody {
	return invalidBody{body, fmt.Sprintf("Invalid '%s': array too long. Expected an array with maximum length %d, "+
		"but got an array with length %d instead.", path, limit, got), path, "array_above_max_length"}
}

// outside is a number beyond a limit. Kind is "integer" or "decimal", and relation
// what was expected: "<= 2".
func outside(path, kind, relation, got, body string) invalidBody {
	code, word := kind+"_above_max_value", "above maximum"
	if strings.HasPrefix(relation, ">") {
		code, word = kind+"_below_min_value", "below minimum"
	}
	return invalidBody{body, fmt.Sprintf("Invalid '%s': %s %s value. Expected a value %s, but got %s instead.",
		path, kind, word, relation, got), path, code}
}

// Parts of bodies.

func long(n int) string               { return strings.Repeat("雪", n) }
func items(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }

func search(options string) string {
	return `{"model":"m","tools":[{"type":"file_search","file_search":{` + options + `}}]}`
}

func threshold(value string) string {
	return search(`"ranking_options":{"score_threshold":` + value + `}`)
}

func function(name string) string {
	return `{"model":"m","tools":[{"type":"function","function":{"name":"` + name + `"}}]}`
}

func format(name string) string {
	return `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"` + name + `"}}}`
}

func resources(tool, members string) string {
	return `{"model":"m","tool_resources":{"` + tool + `":{` + members + `}}}`
}

func helperStore(members string) string {
	return resources("file_search", `"vector_stores":[{`+members+`}]`)
}

func chunks(size, overlap string) string {
	return helperStore(`"file_ids":["file-1"],"chunking_strategy":{"type":"static","static":` +
		`{"max_chunk_size_tokens":` + size + `,"chunk_overlap_tokens":` + overlap + `}}`)
}

func labels(members string) string { return `{"model":"m","metadata":{` + members + `}}` }

// pairs returns n members for metadata.
func pairs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":"v"`, i)
	}
	return b.String()[1:]
}

func TestLimits(t *testing.T) {
	t.Parallel()
	tooManyLabels := func(got int, body string) invalidBody {
		return invalidBody{body, fmt.Sprintf("Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "+
			"but got an object with %d properties instead.", got), "metadata", "object_above_max_properties"}
	}
	checkBoth(t, newAPI(t), []invalidBody{
		empty("model", `{"model":""}`),
		tooLong("name", 256, 257, `{"model":"m","name":"`+long(257)+`"}`),
		tooLong("description", 512, 513, `{"model":"m","description":"`+long(513)+`"}`),
		tooLong("instructions", 256_000, 256_001, `{"model":"m","instructions":"`+long(256_001)+`"}`),
		tooLong("tools[0].function.name", 64, 65, function(strings.Repeat("f", 65))),
		empty("tools[0].function.name", function("")),
		badName("tools[0].function.name", function("a b")),
		badName("tools[0].function.name", function("é")),
		tooLong("response_format.json_schema.name", 64, 65, format(strings.Repeat("f", 65))),
		empty("response_format.json_schema.name", format("")),
		badName("response_format.json_schema.name", format("a.b")),
		tooMany("tools", 128, 129, `{"model":"m","tools":[`+items(129, `{"type":"code_interpreter"}`)+`]}`),
		tooMany("tools", 128, 129, `{"model":"m","tools":[`+items(129, `0`)+`]}`),
		tooMany("tool_resources.code_interpreter.file_ids", 20, 21, resources("code_interpreter", `"file_ids":[`+items(21, `"f"`)+`]`)),
		empty("tool_resources.code_interpreter.file_ids[1]", resources("code_interpreter", `"file_ids":["f",""]`)),
		tooMany("tool_resources.file_search.vector_store_ids", 1, 2, resources("file_search", `"vector_store_ids":["vs_1","vs_2"]`)),
		empty("tool_resources.file_search.vector_store_ids[0]", resources("file_search", `"vector_store_ids":[""]`)),
		tooManyLabels(17, labels(pairs(17))),
		tooManyLabels(17, labels(pairs(17)+`,"k16":"w"`)),
		tooManyLabels(17, labels(pairs(17)+`,"k0":"w"`)),
		tooManyLabels(18, labels(pairs(18)+`,`+pairs(18))),
		tooLong("metadata.k", 512, 513, labels(`"k":"`+long(513)+`"`)),
		{labels(`"` + strings.Repeat("k", 65) + `":"v"`), "Invalid property name in 'metadata': 'kkk...kkk' is too long. " +
			"Expected a string with maximum length 64, but got a string with length 65 instead.", "metadata", "property_name_above_max_length"},
	})
	checkCreate(t, newAPI(t), []invalidBody{
		tooMany("tool_resources.file_search.vector_stores", 1, 2, resources("file_search", `"vector_stores":[{},{}]`)),
		tooMany("tool_resources.file_search.vector_stores[0].file_ids", 10_000, 10_001, helperStore(`"file_ids":[`+items(10_001, `"f"`)+`]`)),
		empty("tool_resources.file_search.vector_stores[0].file_ids[0]", helperStore(`"file_ids":[""]`)),
	})
}

// Each bounded number, one step outside and, below, on its bounds.
func TestNumbers(t *testing.T) {
	t.Parallel()
	const results, score = "tools[0].file_search.max_num_results", "tools[0].file_search.ranking_options.score_threshold"
	const chunk = "tool_resources.file_search.vector_stores[0].chunking_strategy.static."
	nines := strings.Repeat("9", 5000)
	checkBoth(t, newAPI(t), []invalidBody{
		outside("temperature", "decimal", "<= 2", "3", `{"model":"m","temperature":3}`),
		outside("temperature", "decimal", "<= 2", "2.01", `{"model":"m","temperature":2.01}`),
		outside("temperature", "decimal", "<= 2", "1e999", `{"model":"m","temperature":1e999}`),
		outside("temperature", "decimal", "<= 2", nines[:40]+"…", `{"model":"m","temperature":`+nines+`}`),
		outside("temperature", "decimal", ">= 0", "-1", `{"model":"m","temperature":-1}`),
		outside("top_p", "decimal", "<= 1", "2", `{"model":"m","top_p":2}`),
		outside("top_p", "decimal", "<= 1", "1.01", `{"model":"m","top_p":1.01}`),
		outside("top_p", "decimal", ">= 0", "-1", `{"model":"m","top_p":-1}`),
		outside(results, "integer", "<= 50", "51", search(`"max_num_results":51`)),
		outside(results, "integer", "<= 50", "99999999999999999999", search(`"max_num_results":99999999999999999999`)),
		outside(results, "integer", ">= 1", "0", search(`"max_num_results":0`)),
		outside(score, "decimal", "<= 1", "2", threshold("2")),
		outside(score, "decimal", "<= 1", "1.01", threshold("1.01")),
		outside(score, "decimal", ">= 0", "-0.1", threshold("-0.1")),
	})
	checkCreate(t, newAPI(t), []invalidBody{
		outside(chunk+"max_chunk_size_tokens", "integer", "<= 4096", "4097", chunks("4097", "0")),
		outside(chunk+"max_chunk_size_tokens", "integer", ">= 100", "99", chunks("99", "0")),
		outside(chunk+"chunk_overlap_tokens", "integer", "<= 2048", "2049", chunks("4096", "2049")),
		outside(chunk+"chunk_overlap_tokens", "integer", "<= 100", "101", chunks("201", "101")),
		outside(chunk+"chunk_overlap_tokens", "integer", ">= 0", "-1", chunks("100", "-1")),
	})
}

func TestValuesOnTheirLimits(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithStore(holding(t, "f", "file-1")))
	modify := "/v1/assistants/" + a.create(`{"model":"m"}`)
	for _, body := range []string{
		`{"model":"m","name":"` + long(256) + `","description":"` + long(512) + `","instructions":"` + long(256_000) + `"}`,
		`{"model":"m","temperature":2,"top_p":1}`,
		`{"model":"m","temperature":0,"top_p":0}`,
		labels(pairs(16)),
		labels(pairs(16) + `,` + pairs(16)),
		labels(`"` + long(64) + `":"` + long(512) + `"`),
		`{"model":"m","tools":[` + items(128, `{"type":"code_interpreter"}`) + `]}`,
		resources("code_interpreter", `"file_ids":[`+items(20, `"f"`)+`]`),
		function(strings.Repeat("f", 64)),
		format("AZaz09_-"),
		search(`"max_num_results":50`),
		search(`"max_num_results":1`),
		threshold("0"),
		threshold("1.0"),
	} {
		a.create(body)
		got := a.do("POST", modify, body)
		assert.Equal(t, 200, got.status, got.body)
	}
	for _, body := range []string{
		chunks("4096", "2048"),
		chunks("100", "0"),
		helperStore(`"file_ids":[` + items(10_000, `"f"`) + `]`),
	} {
		a.create(body)
	}
}
