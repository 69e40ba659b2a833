package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/given"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

// A modelDescription is the description of an API of models, ready to judge requests.
type modelDescription struct {
	document *openapi3.T
	router   routers.Router
	path     string
	known    sync.Map // problems of bodies that were judged: to compile a schema takes long
}

// modelDescriptions are those of both APIs, by their names; nil if there are none. To read them takes long, so all
// tests share them.
var modelDescriptions = sync.OnceValues(func() (map[string]*modelDescription, error) {
	folder := os.Getenv(given.Description)
	if folder == "" {
		return nil, nil
	}
	all := map[string]*modelDescription{}
	for api, path := range map[string]string{responsesAPI: "/responses", chatAPI: "/chat/completions"} {
		document, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, api+".openapi.yaml"))
		if err != nil {
			return nil, err
		}
		router, err := legacy.NewRouter(document)
		if err != nil {
			return nil, err
		}
		relax(document)
		all[api] = &modelDescription{document: document, router: router, path: path}
	}
	return all, nil
})

// relax lets an item of input be what more than one kind of item may be: a message is, in two forms, and the
// description says that it must be one of them.
func relax(document *openapi3.T) {
	if item := document.Components.Schemas["InputItem"]; item != nil {
		item.Value.AnyOf, item.Value.OneOf = append(item.Value.AnyOf, item.Value.OneOf...), nil
	}
}

// requireFlawless requires all that a provider was asked to be what the description allows, if there is one, and to
// keep the rules that no description has.
func requireFlawless(t *testing.T, api string, asked []*upstream.Request) {
	t.Helper()
	all, err := modelDescriptions()
	require.NoError(t, err)
	for _, r := range asked {
		assert.Empty(t, flaws(api, r.Body), "%s", r.Body)
		assert.Equal(t, "Bearer "+providerKey, r.Header.Get("Authorization"))
		assert.Empty(t, r.Header.Get("OpenAI-Beta"), "the provider is no server of the Assistants API")
		if d := all[api]; d != nil {
			problems, judged := d.known.Load(string(r.Body))
			if !judged {
				problems = d.problems(r.Body)
				d.known.Store(string(r.Body), problems)
			}
			assert.Empty(t, problems, "%s", r.Body)
		}
	}
}

// problems are what the description does not allow in a request, and members that it does not have.
func (d *modelDescription) problems(body []byte) []string {
	body = asDescribed(body)
	ctx := context.Background()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.document.Servers[0].URL+d.path, bytes.NewReader(body))
	if err != nil {
		return []string{err.Error()}
	}
	r.Header.Set("Content-Type", "application/json")
	route, ids, err := d.router.FindRoute(r)
	if err != nil {
		return []string{err.Error()}
	}
	result := judged{operation: route.Operation.OperationID}
	result.add("request", openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
		Request: r, PathParams: ids, Route: route, Options: &openapi3filter.Options{
			MultiError: true, SkipSettingDefaults: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}))
	var found []string
	for _, p := range result.problems {
		found = append(found, p.String())
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return append(found, err.Error())
	}
	schema := route.Operation.RequestBody.Value.Content.Get("application/json").Schema.Value
	return append(found, unknownMembers("", value, []*openapi3.Schema{schema})...)
}

// asDescribed gives an assistant's messages among the input what the description wants them to have, and the service
// was recorded not to need: an id, a status, and probabilities.
func asDescribed(body []byte) []byte {
	var request map[string]any
	if json.Unmarshal(body, &request) != nil {
		return body
	}
	items, _ := request["input"].([]any)
	for _, i := range items {
		item, _ := i.(map[string]any)
		parts, _ := item["content"].([]any)
		if item["role"] != "assistant" || len(parts) == 0 {
			continue
		}
		lacking(item, map[string]any{"id": "msg_1", "status": "completed"})
		for _, part := range parts {
			if part, ok := part.(map[string]any); ok && part["type"] == "output_text" {
				lacking(part, map[string]any{"logprobs": []any{}})
			}
		}
	}
	whole, err := json.Marshal(request)
	if err != nil {
		return body
	}
	return whole
}

// lacking adds members that an object does not have.
func lacking(object, members map[string]any) {
	for name, value := range members {
		if _, ok := object[name]; !ok {
			object[name] = value
		}
	}
}

// unknownMembers are the members of objects that none of the schemas have which the object could be meant by. The
// validator lets them pass, since the description does not forbid them.
func unknownMembers(path string, value any, schemas []*openapi3.Schema) []string {
	var found []string
	switch value := value.(type) {
	case map[string]any:
		candidates := meant(schemas, value)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner, free := memberOf(candidates, name)
			if len(inner) == 0 && !free {
				found = append(found, path+"/"+name+": the description has no such member")
			}
			if !free {
				found = append(found, unknownMembers(path+"/"+name, value[name], inner)...)
			}
		}
	case []any:
		var items []*openapi3.Schema
		for _, s := range meant(schemas, nil) {
			if s.Items != nil {
				items = append(items, s.Items.Value)
			}
		}
		for i, v := range value {
			found = append(found, unknownMembers(fmt.Sprintf("%s/%d", path, i), v, items)...)
		}
	}
	return found
}

// memberOf are the schemas of a member. free: any object will do.
func memberOf(schemas []*openapi3.Schema, name string) (inner []*openapi3.Schema, free bool) {
	properties := false
	for _, s := range schemas {
		if p := s.Properties[name]; p != nil {
			inner = append(inner, p.Value)
		}
		properties = properties || len(s.Properties) > 0
		if a := s.AdditionalProperties; a.Schema != nil || a.Has != nil && *a.Has {
			free = true
		}
	}
	return inner, len(inner) == 0 && (free || !properties)
}

// meant are the schemas with all that they are made of, but for those of objects of another type or role.
func meant(schemas []*openapi3.Schema, value map[string]any) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, s := range schemas {
		if isOther(s, value) {
			continue
		}
		all = append(all, s)
		for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			parts := make([]*openapi3.Schema, len(refs))
			for i, ref := range refs {
				parts[i] = ref.Value
			}
			all = append(all, meant(parts, value)...)
		}
	}
	return all
}

// isOther reports whether the schema names another type or role than the object has.
func isOther(s *openapi3.Schema, value map[string]any) bool {
	for _, name := range []string{"type", "role"} {
		p := s.Properties[name]
		if v, ok := value[name]; ok && p != nil && len(p.Value.Enum) > 0 && !slices.Contains(p.Value.Enum, v) {
			return true
		}
	}
	return false
}

// TestUnknownMembers shows that members which the validator lets pass are found.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	given.Folder(t, given.Description)
	all, err := modelDescriptions()
	require.NoError(t, err)
	const call = `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`
	for body, want := range map[string]string{
		`{"model":"m","input":"Hello."}`: "",
		`{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]},` + call + `]}`: "",
		`{"model":"m","input":"Hello.","thread":"t"}`:                                                  "/thread: ",
		`{"model":"m","input":[` + call[:len(call)-1] + `,"function":{}}]}`:                            "/input/0/function: ",
		`{"model":"m","input":[],"tools":[{"type":"function","function":{"name":"f"}}]}`:               "/tools/0",
		`{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"text","a":"x"}]}]}`: "/input/0",
		`{"model":"m","input":[],"text":{"format":{"type":"json_object","name":"x"}}}`:                 "/text/format/name: ",
		`{"model":1,"input":[]}`: "request /model",
	} {
		problems := fmt.Sprint(all[responsesAPI].problems([]byte(body)))
		if want == "" {
			assert.Equal(t, "[]", problems, body)
		} else {
			assert.Contains(t, problems, want, body)
		}
	}
	assert.Empty(t, all[chatAPI].problems([]byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`)))
	assert.Contains(t, fmt.Sprint(all[chatAPI].problems([]byte(`{"model":"m","messages":[{"role":"user","content":"x","call":1}]}`))), "/messages/0/call")
}
