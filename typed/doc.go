// Package typed lets Go types stand where the Assistants API wants JSON Schema: for functions that a model may ask
// for, and for answers that are data.
//
// # Functions
//
// [NewFunction] describes a Go function to models. Its tool goes to an assistant, and [HandleCalls] answers the calls
// of a run:
//
//	weather := typed.NewFunction("get_weather", "Current weather of a city", func(ctx context.Context, in struct {
//		City string `json:"city" jsonschema:"city and country"`
//		Unit string `json:"unit,omitempty" jsonschema:"c or f"`
//	}) (Weather, error) {
//		…
//	})
//	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
//		Model: "gpt-4o",
//		Tools: []assistants.Tool{weather.Tool()},
//	})
//	run, err := client.Runs.CreateAndPoll(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistant.ID},
//		typed.HandleCalls(weather))
//
// The Go function sees arguments that follow its schema, and no others. What is wrong with others is told to the
// model, which can try again; so are the errors of the function.
//
// # Answers
//
// [ResponseFormat] makes the answers of an assistant or a run JSON of a type, and [Decode] reads them:
//
//	format := typed.ResponseFormat[Recipe]("recipe", typed.Strict())
//	…
//	recipe, err := typed.Decode[Recipe](message)
//
// # Schemas
//
// The schema of a type is that of the JSON which encoding/json reads into it. Fields come in the order in which the
// struct has them, under the names that it gives them, and no others are allowed; upper and lower case count. The tag
// jsonschema holds the description of a field. A field is required unless it has omitempty or omitzero. A pointer may
// be null.
//
// A []byte is base64, a [time.Time] a string, a [math/big.Int] an integer, and a type that decodes text a string. An
// any and a [encoding/json.RawMessage] are any value; numbers in it such as 1.0 arrive as 1. Whole numbers keep all
// their digits; up to 2^53 they may be written as 1.0 or 1e3. Bounds that the size of an integer or an array sets are
// part of the schema.
//
// For enums, and for types that decode their JSON themselves, [TypeSchema] gives the schema. Types that contain
// themselves need one too. Functions, channels, interfaces with methods, maps with keys that are no strings and the
// json option "string" are refused.
//
// # Strict schemas
//
// Without [Strict] the model is asked to follow the schema, and with it the service makes sure. Services then accept
// no more than a subset of JSON Schema: all fields are required, those with omitempty or omitzero may be null, and
// maps and any are refused. Bounds, formats and encodings are not sent.
//
// What is read does not depend on it: a field that is optional may be left out or null, which leaves it zero, and
// bounds hold. So programs can change to and from Strict, and run on servers that do not know it.
package typed
