package main

import (
	"encoding/json"
	"fmt"

	"github.com/assistants-go/assistants/internal/standin"
)

// script is what happens where there is no model: it asks for both functions, and repeats what they say.
var script = []standin.Turn{
	{Calls: []standin.Call{
		{Name: "get_forecast", Arguments: `{"city":"Lisbon, Portugal"}`},
		{Name: "get_rain_probability", Arguments: `{"city":"Lisbon, Portugal"}`},
	}},
	{Reply: func(outputs []string) string {
		var today Forecast
		if err := json.Unmarshal([]byte(outputs[0]), &today); err != nil {
			return "Sorry, I was told " + outputs[0]
		}
		return fmt.Sprintf("It is %s and %.1f °C in Lisbon. Rain is %s%% likely, so an umbrella can stay at home.",
			today.Sky, today.Celsius, outputs[1])
	}},
}
