package conformance

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants"
)

// TestTagsAreTheNames wants every field of the covered requests and answers to have the name of its key: with tags
// that are swapped, values would still come back under the keys they came from.
func TestTagsAreTheNames(t *testing.T) {
	t.Parallel()
	checked := make(map[reflect.Type]bool)
	for _, typ := range goTypes {
		checkTags(t, typ, "json", checked)
	}
	for _, typ := range eventTypes {
		checkTags(t, typ, "json", checked)
	}
	for _, typ := range queryTypes {
		checkTags(t, typ, "url", checked)
	}
	for _, typ := range []reflect.Type{ // as proof that the way inwards was found
		reflect.TypeFor[assistants.RankingOptions](), reflect.TypeFor[assistants.StaticChunkingStrategy](),
		reflect.TypeFor[assistants.JSONSchema](), reflect.TypeFor[assistants.Assistant](),
		reflect.TypeFor[assistants.FileCitation](), reflect.TypeFor[assistants.CodeInterpreterOutputDelta](),
		reflect.TypeFor[assistants.FileSearchContent](), reflect.TypeFor[assistants.ContentPartParam](),
		reflect.TypeFor[assistants.FileCounts](), reflect.TypeFor[assistants.SearchRankingOptions](), reflect.TypeFor[assistants.Filter](),
		reflect.TypeFor[assistants.VectorStoreSearchResult](), reflect.TypeFor[assistants.FileExpiration](),
	} {
		assert.True(t, checked[typ], "%v was not checked", typ)
	}
}

// checkTags checks the fields of a type and of all types inside it.
func checkTags(t *testing.T, typ reflect.Type, tag string, checked map[reflect.Type]bool) {
	t.Helper()
	typ = plain(typ)
	switch {
	case typ == reflect.TypeFor[json.RawMessage]() || checked[typ]:
		return
	case typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map:
		checkTags(t, typ.Elem(), tag, checked)
		return
	case typ.Kind() != reflect.Struct:
		return
	}
	checked[typ] = true
	for field := range typ.Fields() {
		if !field.IsExported() {
			continue
		}
		key, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		if name := keyOf(field.Name); !withoutKey(typ, field) {
			assert.Equal(t, name, key, "%v.%s", typ, field.Name)
		}
		checkTags(t, field.Type, tag, checked)
	}
}

// withoutKey reports whether a field has no key of its own: what is embedded has the keys of its fields, and the list
// form of a value has that of the other.
func withoutKey(typ reflect.Type, field reflect.StructField) bool {
	if field.Anonymous {
		return field.Tag == ""
	}
	for _, list := range listFields[typ] {
		if field.Name == list {
			return field.Tag.Get("json") == "-"
		}
	}
	return false
}

// keyOf writes the name of a field as its key is written: JSONSchema is json_schema.
func keyOf(name string) string {
	letters := []rune(strings.ReplaceAll(name, "IDs", "Ids")) // of which S is not a word
	var key strings.Builder
	for i, letter := range letters {
		afterLower := i > 0 && unicode.IsLower(letters[i-1])
		beforeLower := i > 0 && i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if unicode.IsUpper(letter) && (afterLower || beforeLower) {
			key.WriteByte('_')
		}
		key.WriteRune(unicode.ToLower(letter))
	}
	return key.String()
}

func TestKeyOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ID": "id", "FirstID": "first_id", "FileIDs": "file_ids", "VectorStoreIDs": "vector_store_ids", "TopP": "top_p",
		"JSONSchema": "json_schema", "MaxNumResults": "max_num_results", "CreatedAt": "created_at", "Name": "name",
	} {
		assert.Equal(t, want, keyOf(name))
	}
}
