package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `What is the weather in Lisbon today, and shall I take an umbrella?
asks for  get_forecast {"city":"Lisbon"}
asks for  get_rain_probability {"city":"Lisbon"}
is told   {"celsius":21.5,"sky":"cloudy"}
is told   30
get_forecast says: {"celsius":21.5,"sky":"cloudy"}
get_rain_probability says: 30
I am a stand-in, not a model; server.WithModel plugs in a real one.
`, exampletest.Output(t, run, nil))
}

// It does so too with a model behind the embedded server.
func TestProviders(t *testing.T) {
	calls := []exampletest.Call{
		{Name: "get_forecast", Arguments: `{"city":"Lisbon"}`},
		{Name: "get_rain_probability", Arguments: `{"city":"Lisbon"}`},
	}
	for name, printed := range exampletest.OnProviders(t, run, calls, "Mild and dry.") {
		assert.Equal(t, `What is the weather in Lisbon today, and shall I take an umbrella?
asks for  get_forecast {"city":"Lisbon"}
asks for  get_rain_probability {"city":"Lisbon"}
is told   {"celsius":21.5,"sky":"cloudy"}
is told   30
Mild and dry.
`, printed, name)
	}
}
