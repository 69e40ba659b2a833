package main

import "github.com/assistants-go/assistants/internal/standin"

// script is what the tutor does where there is no model.
var script = []standin.Turn{
	{
		Code: &standin.Code{
			Input: "from sympy import Eq, solve, symbols\nx = symbols('x')\nprint(solve(Eq(3*x + 11, 14), x))\n",
			Logs:  "[1]\n",
		},
		Text: "Gladly, Jane Doe! Subtract 11 from both sides, which leaves 3x = 3, and divide by 3: x = 1.",
	},
	{Text: "The steps are the same, Jane Doe: 3x = 15, and so x = 5."},
}
