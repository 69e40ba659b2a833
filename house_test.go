package assistants_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// The packages whose API is held by testdata/api.txt.
var published = []string{".", "assistantstest", "server", "server/chat", "server/responses", "typed"}

// parsed are the files in dir, or their tests.
func parsed(t *testing.T, fset *token.FileSet, dir string, tests bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") == tests {
			file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	return files
}

// documented is the package in dir as its documentation has it.
func documented(t *testing.T, dir string) (*token.FileSet, *doc.Package) {
	t.Helper()
	fset := token.NewFileSet()
	pkg, err := doc.NewFromFiles(fset, parsed(t, fset, dir, false), "github.com/assistants-go/assistants/"+dir)
	require.NoError(t, err)
	return fset, pkg
}

// The exported API is what testdata/api.txt says; -update rewrites it. A line that goes is a break.
func TestAPI(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, dir := range published {
		fset, pkg := documented(t, dir)
		lines = append(lines, apiLines(fset, pkg)...)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const file = "testdata/api.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	wanted := strings.Split(strings.TrimSpace(string(want)), "\n")
	for _, line := range lines {
		assert.True(t, slices.Contains(wanted, line), "new, to be written down with -update: %s", line)
	}
	for _, line := range wanted {
		assert.True(t, slices.Contains(lines, line), "gone, which breaks callers: %s", line)
	}
	assert.NotRegexp(t, `\b(any|interface ?\{\})\b`, regexp.MustCompile(`(?m)^.*(\[[\w, ]+ any\]|\) Call\().*$`).ReplaceAllString(got, ""),
		"no exported any, but for Call and type parameters")
}

// apiLines has a line for every exported identifier of a package, fields and methods included.
func apiLines(fset *token.FileSet, pkg *doc.Package) (lines []string) {
	add := func(format string, args ...any) {
		lines = append(lines, "pkg "+pkg.Name+", "+fmt.Sprintf(format, args...))
	}
	print := func(node any) string {
		var b bytes.Buffer
		printer.Fprint(&b, fset, node)
		return strings.Join(strings.Fields(b.String()), " ")
	}
	function := func(f *doc.Func) { f.Decl.Doc, f.Decl.Body = nil, nil; add("%s", print(f.Decl)) }
	values := func(values []*doc.Value) {
		for _, v := range values {
			for _, name := range v.Names {
				if ast.IsExported(name) {
					add("%s %s", v.Decl.Tok, name)
				}
			}
		}
	}
	values(append(pkg.Consts, pkg.Vars...))
	for _, f := range pkg.Funcs {
		function(f)
	}
	for _, typ := range pkg.Types {
		values(append(typ.Consts, typ.Vars...))
		for _, f := range append(typ.Funcs, typ.Methods...) {
			function(f)
		}
		spec := typ.Decl.Specs[0].(*ast.TypeSpec)
		switch s := spec.Type.(type) {
		case *ast.StructType:
			add("type %s struct", typ.Name)
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					if name.IsExported() {
						add("type %s struct, %s %s", typ.Name, name.Name, print(field.Type))
					}
				}
			}
		case *ast.InterfaceType:
			add("type %s interface", typ.Name)
			for _, method := range s.Methods.List {
				if len(method.Names) > 0 && method.Names[0].IsExported() {
					add("type %s interface, %s %s", typ.Name, method.Names[0].Name, print(method.Type))
				}
			}
		default:
			add("type %s %s", typ.Name, print(spec.Type))
		}
	}
	return lines
}

// Everything exported is documented, and every method of a service names its operation.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	operation := regexp.MustCompile(`(?m)^(GET|POST|DELETE) /\S+: https://`)
	for _, dir := range published {
		_, pkg := documented(t, dir)
		assert.NotEmpty(t, pkg.Doc)
		check := func(name, doc string) { assert.NotEmpty(t, doc, "%s.%s is not documented", pkg.Name, name) }
		checkValue := func(v *doc.Value) {
			for _, spec := range v.Decl.Specs {
				s := spec.(*ast.ValueSpec)
				check(s.Names[0].Name, v.Doc+s.Doc.Text()+s.Comment.Text())
			}
		}
		for _, v := range append(pkg.Consts, pkg.Vars...) {
			checkValue(v)
		}
		for _, f := range pkg.Funcs {
			check(f.Name, f.Doc)
		}
		for _, typ := range pkg.Types {
			check(typ.Name, typ.Doc)
			for _, v := range append(typ.Consts, typ.Vars...) {
				checkValue(v)
			}
			checkFields(t, pkg.Name, typ)
			for _, f := range append(typ.Funcs, typ.Methods...) {
				check(typ.Name+"."+f.Name, f.Doc)
				if strings.HasSuffix(typ.Name, "Service") {
					assert.Regexp(t, operation, f.Doc, f.Name)
				}
			}
		}
	}
}

// checkFields holds that every exported field has a comment, at its side or above it or above the one before, for
// fields that are explained together. A union's Type is explained with the union.
func checkFields(t *testing.T, pkg string, typ *doc.Type) {
	t.Helper()
	s, ok := typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
	if !ok {
		return
	}
	explained := false
	for i, field := range s.Fields.List {
		if field.Doc != nil || field.Comment != nil {
			explained = true
		} else if i > 0 && s.Fields.List[i-1].Doc == nil {
			explained = false
		}
		for _, name := range field.Names {
			assert.True(t, explained || !name.IsExported() || name.Name == "Type", "%s.%s.%s is not documented", pkg, typ.Name, name.Name)
		}
	}
}

// Every function, and every method of a client and its services, has an example whose output is checked.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, dir := range published {
		_, pkg := documented(t, dir)
		have := map[string]bool{}
		for _, example := range doc.Examples(parsed(t, token.NewFileSet(), dir, true)...) {
			name, _, _ := strings.Cut(example.Name, "_")
			have[name], have[example.Name] = true, true
			assert.True(t, example.Output != "" || example.EmptyOutput, "Example%s has no output to check", example.Name)
		}
		for _, f := range pkg.Funcs {
			assert.True(t, have[f.Name], "no example of %s.%s", pkg.Name, f.Name)
		}
		for _, typ := range pkg.Types {
			for _, f := range typ.Funcs {
				assert.True(t, have[f.Name], "no example of %s.%s", pkg.Name, f.Name)
			}
			if typ.Name != "Client" && !strings.HasSuffix(typ.Name, "Service") {
				continue
			}
			for _, m := range typ.Methods {
				assert.True(t, have[typ.Name+"_"+m.Name], "no example of %s.%s.%s", pkg.Name, typ.Name, m.Name)
			}
		}
	}
}

// requests are the types that are sent, with the fields that are required.
var requests = map[reflect.Type][]string{
	reflect.TypeFor[assistants.AssistantCreateParams]():      {"Model"},
	reflect.TypeFor[assistants.AssistantModifyParams]():      nil,
	reflect.TypeFor[assistants.Tool]():                       {"Type"},
	reflect.TypeFor[assistants.FunctionDefinition]():         {"Name"},
	reflect.TypeFor[assistants.FileSearchOptions]():          nil,
	reflect.TypeFor[assistants.RankingOptions]():             {"ScoreThreshold"},
	reflect.TypeFor[assistants.HybridSearch]():               {"EmbeddingWeight", "TextWeight"},
	reflect.TypeFor[assistants.ToolResources]():              nil,
	reflect.TypeFor[assistants.CodeInterpreterResources]():   nil,
	reflect.TypeFor[assistants.FileSearchResources]():        nil,
	reflect.TypeFor[assistants.MCPResources]():               {"ServerLabel"},
	reflect.TypeFor[assistants.VectorStoreSpec]():            nil,
	reflect.TypeFor[assistants.ChunkingStrategy]():           {"Type"},
	reflect.TypeFor[assistants.StaticChunkingStrategy]():     {"MaxChunkSizeTokens", "ChunkOverlapTokens"},
	reflect.TypeFor[assistants.ResponseFormat]():             {"Type"},
	reflect.TypeFor[assistants.JSONSchema]():                 {"Name"},
	reflect.TypeFor[assistants.ThreadCreateParams]():         nil,
	reflect.TypeFor[assistants.ThreadModifyParams]():         nil,
	reflect.TypeFor[assistants.ThreadCreateAndRunParams]():   {"AssistantID"},
	reflect.TypeFor[assistants.MessageCreateParams]():        {"Role", "Content"},
	reflect.TypeFor[assistants.MessageModifyParams]():        nil,
	reflect.TypeFor[assistants.ContentPartParam]():           {"Type"},
	reflect.TypeFor[assistants.ImageFile]():                  {"FileID"},
	reflect.TypeFor[assistants.ImageURL]():                   {"URL"},
	reflect.TypeFor[assistants.Attachment]():                 {"FileID"},
	reflect.TypeFor[assistants.AttachmentTool]():             {"Type"},
	reflect.TypeFor[assistants.RunCreateParams]():            {"AssistantID"},
	reflect.TypeFor[assistants.RunModifyParams]():            nil,
	reflect.TypeFor[assistants.RunSubmitToolOutputsParams](): nil, // one of the two; see oneOf
	reflect.TypeFor[assistants.ToolOutput]():                 {"ToolCallID", "Output"},
	reflect.TypeFor[assistants.ToolApproval]():               {"ToolCallID", "Approve"},
	reflect.TypeFor[assistants.TruncationStrategy]():         {"Type"},
	reflect.TypeFor[assistants.ToolChoice]():                 {"Type"},
	reflect.TypeFor[assistants.FunctionChoice]():             {"Name"},

	reflect.TypeFor[assistants.UploadCreateParams]():          {"Filename", "Purpose", "Bytes", "MIMEType"},
	reflect.TypeFor[assistants.UploadCompleteParams]():        {"PartIDs"},
	reflect.TypeFor[assistants.FileExpiration]():              {"Anchor", "Seconds"},
	reflect.TypeFor[assistants.AssistantFileCreateParams]():   {"FileID"},
	reflect.TypeFor[assistants.VectorStoreCreateParams]():     nil,
	reflect.TypeFor[assistants.VectorStoreModifyParams]():     nil,
	reflect.TypeFor[assistants.VectorStoreExpiration]():       {"Anchor", "Days"},
	reflect.TypeFor[assistants.VectorStoreFileCreateParams](): {"FileID"},
	reflect.TypeFor[assistants.VectorStoreFileModifyParams](): {"Attributes"},
	reflect.TypeFor[assistants.FileBatchCreateParams]():       nil, // one of the two; see oneOf
	reflect.TypeFor[assistants.VectorStoreSearchParams]():     {"Query"},
	reflect.TypeFor[assistants.SearchRankingOptions]():        nil,
	reflect.TypeFor[assistants.Filter]():                      {"Type"},
	reflect.TypeFor[assistants.Attribute]():                   nil, // its own MarshalJSON writes it
}

// carried are the params that are no JSON: a form with a file in it, or what several calls are made of.
var carried = []reflect.Type{
	reflect.TypeFor[assistants.FileUploadParams](),
	reflect.TypeFor[assistants.UploadPartParams](),
	reflect.TypeFor[assistants.UploadLargeParams](),
	reflect.TypeFor[assistants.VectorStoreFileUploadParams](),
	reflect.TypeFor[assistants.FileBatchUploadParams](),
}

// oneOf are the types that need one of their fields, whichever it is: outputs answer one kind of action, approvals the
// other. nil must be told from empty there, so that an empty answer can be given.
var oneOf = map[string][]string{
	"RunSubmitToolOutputsParams": {"ToolOutputs", "ToolApprovals"},
	"FileBatchCreateParams":      {"FileIDs", "Files"},
}

// inPlace are the fields without a name of their own on the wire. They are sent in place of another, by the type's own
// MarshalJSON, which refuses both at once.
var inPlace = map[string]string{
	"MessageCreateParams.Parts":       "content",
	"VectorStoreSearchParams.Queries": "query",
	"Filter.Values":                   "value",
}

// Fields of requests keep three rules: what is required has no omit tag; what is optional has omitzero, and is a
// pointer where zero is a value of its own; what can be null on modify is an Optional.
func TestRequestFields(t *testing.T) {
	t.Parallel()
	for typ, required := range requests {
		for field := range typ.Fields() {
			if !field.IsExported() {
				continue
			}
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			at := typ.Name() + "." + field.Name
			assert.NotEmpty(t, name, at)
			if name == "-" {
				assert.True(t, hasField(typ, inPlace[at]), "%s is not sent", at)
				assert.Equal(t, reflect.Slice, field.Type.Kind(), "%s: nil must be told from empty", at)
				assert.True(t, typ.Implements(reflect.TypeFor[json.Marshaler]()), at)
				continue
			}
			if slices.Contains(required, field.Name) {
				assert.Empty(t, option, "%s is required", at)
				assert.NotEqual(t, reflect.Pointer, field.Type.Kind(), at)
				continue
			}
			assert.Equal(t, "omitzero", option, "%s is optional", at)
			if field.Type.Kind() == reflect.Float64 || field.Type.Kind() == reflect.Interface {
				t.Errorf("%s: the zero of %v cannot be told from nothing", at, field.Type)
			}
			if slices.Contains(oneOf[typ.Name()], field.Name) {
				assert.Equal(t, reflect.Slice, field.Type.Kind(), at)
			}
		}
		for _, name := range append(required, oneOf[typ.Name()]...) {
			_, ok := typ.FieldByName(name)
			assert.True(t, ok, "%s has no %s", typ, name)
		}
	}
	for want, params := range map[string]json.Marshaler{
		`{"role":"user","content":[]}`:       assistants.MessageCreateParams{Role: "user", Parts: []assistants.ContentPartParam{}},
		`{"query":[]}`:                       assistants.VectorStoreSearchParams{Queries: []string{}},
		`{"type":"in","key":"k","value":[]}`: assistants.Filter{Type: "in", Key: "k", Values: []assistants.Attribute{}},
		`{"type":"and","filters":[]}`:        assistants.Filter{Type: "and"},
	} {
		sent, err := params.MarshalJSON()
		require.NoError(t, err)
		assert.JSONEq(t, want, string(sent))
	}

	// What the description allows to be null on modify can be cleared.
	for typ, fixed := range map[reflect.Type][]string{
		reflect.TypeFor[assistants.AssistantModifyParams](): {"Model", "Tools", "FileIDs"},
		reflect.TypeFor[assistants.ThreadModifyParams]():    nil,
		reflect.TypeFor[assistants.MessageModifyParams]():   nil,
		reflect.TypeFor[assistants.RunModifyParams]():       nil,
		// nil attributes are sent as null, which clears them; there is nothing else to change.
		reflect.TypeFor[assistants.VectorStoreModifyParams]():     nil,
		reflect.TypeFor[assistants.VectorStoreFileModifyParams](): {"Attributes"},
	} {
		for field := range typ.Fields() {
			optional := strings.HasPrefix(field.Type.Name(), "Optional[")
			assert.Equal(t, !slices.Contains(fixed, field.Name), optional, "%v.%s", typ, field.Name)
		}
	}
}

// hasField reports whether a field of typ has a name in JSON.
func hasField(typ reflect.Type, name string) bool {
	for field := range typ.Fields() {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == name && name != "" {
			return true
		}
	}
	return false
}

// No type that is sent is missing among the requests: neither params of a method nor what they are made of.
func TestRequestsAreAll(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, typ := range carried {
		names[typ.Name()] = true
		assert.NotContains(t, requests, typ)
		for field := range typ.Fields() {
			assert.Empty(t, field.Tag, "%v.%s is no JSON", typ, field.Name)
		}
	}
	for typ := range requests {
		names[typ.Name()] = true
		for field := range typ.Fields() {
			inner := field.Type
			if get, ok := inner.MethodByName("Get"); ok && strings.HasPrefix(inner.Name(), "Optional[") {
				inner = get.Type.Out(0)
			}
			for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && field.IsExported() {
				assert.Contains(t, requests, inner, "%v.%s", typ, field.Name)
			}
		}
	}
	_, pkg := documented(t, ".")
	for _, typ := range pkg.Types {
		if strings.HasSuffix(typ.Name, "Params") && !strings.HasSuffix(typ.Name, "ListParams") { // which are a query
			assert.True(t, names[typ.Name], typ.Name)
		}
	}
}

// Go code in the documents is code of the examples, which are compiled and run.
func TestDocumentsCompile(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, pattern := range []string{"*_test.go", "server/*_test.go", "typed/*_test.go", "examples/*/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			sources.WriteString(unindented(string(source)))
		}
	}
	fence := regexp.MustCompile("(?s)```go\n(.*?)```")
	for _, document := range []string{"README.md", "CONTRIBUTING.md", "docs/protocol.md"} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		blocks := fence.FindAllStringSubmatch(string(text), -1)
		assert.Equal(t, document == "README.md", len(blocks) > 0, document)
		for _, block := range blocks {
			assert.True(t, strings.Contains(sources.String(), unindented(block[1])), "%s has Go code that no example has: %s", document, block[1])
		}
	}
}

// unindented takes the white space from the beginnings of lines, and empty lines out.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
