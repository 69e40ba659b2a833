package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	assert.Equal(t, `What is the weather in Lisbon today, and shall I take an umbrella?
asks for  get_forecast {"city":"Lisbon, Portugal"}
asks for  get_rain_probability {"city":"Lisbon, Portugal"}
is told   {"celsius":21.5,"sky":"cloudy"}
is told   30
It is cloudy and 21.5 °C in Lisbon. Rain is 30% likely, so an umbrella can stay at home.
`, exampletest.Output(t, run, script...))
}
