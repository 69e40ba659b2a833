package typed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/assistants-go/assistants"
)

// A Function is a Go function that a model may ask for. [NewFunction] makes one. It is immutable, and may be used by
// any number of goroutines if the Go function may.
type Function struct {
	definition assistants.FunctionDefinition
	call       func(ctx context.Context, arguments string) (string, error)
}

// NewFunction describes fn to models. name is 1 to 64 letters, digits, underscores and dashes. description says what
// fn does and when to call it, "" nothing. In is a struct, or a map with string keys, whose JSON Schema is that of the
// arguments; see the package documentation. Out is what the model is told: a string, a []byte or a json.RawMessage as
// it is, anything else as JSON.
//
// A name that is not one, a nil fn and an In that no schema describes are mistakes of the program, which no input
// changes: NewFunction panics, as regexp.MustCompile does.
func NewFunction[In, Out any](name, description string, fn func(context.Context, In) (Out, error), opts ...Option) *Function {
	definition, arguments, err := define(name, description, reflect.TypeFor[In](), opts)
	if err == nil && fn == nil {
		err = errors.New("the func is nil")
	}
	if err != nil {
		panic(fmt.Sprintf("typed: NewFunction(%q): %v", name, err))
	}
	return &Function{definition, func(ctx context.Context, text string) (string, error) {
		var in In
		if err := arguments.read(text, &in); err != nil {
			return "", fmt.Errorf("%s: invalid arguments: %w", name, err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return "", err
		}
		result, err := output(out)
		if err != nil {
			return "", fmt.Errorf("%s: the result cannot be encoded: %w", name, err)
		}
		return result, nil
	}}
}

func define(name, description string, in reflect.Type, opts []Option) (assistants.FunctionDefinition, *reader, error) {
	var none assistants.FunctionDefinition
	s, err := newSettings(opts)
	if err != nil {
		return none, nil, err
	}
	if s.description != "" {
		return none, nil, errors.New("the option Description belongs to response formats; functions have an argument for it")
	}
	schema, err := objectSchema(name, in, s)
	if err != nil {
		return none, nil, err
	}
	arguments, err := newReader(in, s)
	return assistants.FunctionDefinition{Name: name, Description: description, Parameters: schema, Strict: s.strict}, arguments, err
}

// objectSchema is what services are sent under a name: a schema of objects.
func objectSchema(name string, t reflect.Type, s settings) (json.RawMessage, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	f := plainForm
	if s.strict {
		f = strictForm
	}
	schema, err := infer(t, f, s)
	if err != nil {
		return nil, err
	}
	if schema.Type != "object" {
		return nil, fmt.Errorf("%v is no JSON object; take a struct", t)
	}
	return json.Marshal(schema)
}

func checkName(name string) error {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	}) {
		return errors.New("a name has 1 to 64 letters, digits, underscores and dashes")
	}
	return nil
}

// output is what a model is told.
func output(out any) (string, error) {
	switch out := out.(type) {
	case string:
		return out, nil
	case []byte:
		return string(out), nil
	case json.RawMessage:
		return string(out), nil
	}
	encoded, err := encode(out)
	return string(encoded), err
}

// Name returns the name under which models know the function.
func (f *Function) Name() string { return f.definition.Name }

// Tool returns the function as a tool of an assistant or a run. Each tool is a copy, which may be changed.
func (f *Function) Tool() assistants.Tool {
	definition := f.definition
	definition.Parameters = bytes.Clone(definition.Parameters)
	return assistants.Tool{Type: assistants.ToolFunction, Function: &definition}
}

// Call calls the Go function with arguments that a model wrote, and returns what to tell the model. Empty arguments,
// which models write for a function without parameters, are {}.
//
// Arguments that are not JSON, or do not follow the schema of In, are an error, written for the model to try again,
// and the Go function is not called. Of a key that comes twice the last value counts. The errors of the Go function
// are returned as they are; a result that encoding/json refuses is an error too. Call does not recover panics; a call
// that [HandleCalls] dispatches is recovered by the client.
func (f *Function) Call(ctx context.Context, arguments string) (string, error) {
	if strings.TrimSpace(arguments) == "" {
		arguments = "{}"
	}
	return f.call(ctx, arguments)
}

// HandleCalls answers the calls that a run asks for with functions, by their names: an option for the calls that poll
// or stream a run. It is [assistants.WithToolHandler], which says how many calls run at once, what bounds the rounds,
// and what becomes of errors and panics: the model is told, and may go on. So it is of a function that is not among
// these, with the names that are.
//
// No functions, one that is nil and two of one name are mistakes of the program: HandleCalls panics.
func HandleCalls(functions ...*Function) assistants.RequestOption {
	byName := make(map[string]*Function, len(functions))
	var names []string
	for i, f := range functions {
		if f == nil || f.call == nil {
			panic(fmt.Sprintf("typed: HandleCalls: function %d was not made by NewFunction", i))
		}
		if byName[f.Name()] != nil {
			panic(fmt.Sprintf("typed: HandleCalls: two functions of the name %q", f.Name()))
		}
		byName[f.Name()] = f
		names = append(names, f.Name())
	}
	if len(names) == 0 {
		panic("typed: HandleCalls: no functions")
	}
	return assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
		if call.Function == nil {
			return "", fmt.Errorf("a call of type %q is not a call of a function; the functions are %s", call.Type, strings.Join(names, ", "))
		}
		f := byName[call.Function.Name]
		if f == nil {
			return "", fmt.Errorf("there is no function %q; the functions are %s", cut(call.Function.Name, maxProblemBytes), strings.Join(names, ", "))
		}
		return f.Call(ctx, call.Function.Arguments)
	})
}
