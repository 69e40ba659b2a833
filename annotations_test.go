package assistants_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants"
)

// Indices of annotations count characters, not bytes.
func TestReplaceAnnotations(t *testing.T) {
	t.Parallel()
	at := func(start, end int) assistants.Annotation {
		return assistants.Annotation{StartIndex: start, EndIndex: end}
	}
	for _, c := range []struct {
		name, value string
		annotations []assistants.Annotation
		want        string
	}{
		{"none", "Grüße", nil, "Grüße"},
		{"empty", "", nil, ""},
		{"behind others", "Grüße 👋【4:0†a】!", []assistants.Annotation{at(7, 14)}, "Grüße 👋[7]!"},
		{"at both ends", "【a】b【c】", []assistants.Annotation{at(0, 3), at(4, 7)}, "[0]b[4]"},
		{"in another order", "【a】b【c】", []assistants.Annotation{at(4, 7), at(0, 3)}, "[0]b[4]"},
		{"without length", "ab", []assistants.Annotation{at(1, 1)}, "a[1]b"},
		{"outside", "ab", []assistants.Annotation{at(1, 3), at(-1, 1), at(2, 1), at(5, 6)}, "ab"},
		{"into one another", "abcd", []assistants.Annotation{at(0, 3), at(2, 4)}, "[0]d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := &assistants.Text{Value: c.value, Annotations: c.annotations}
			mark := func(a assistants.Annotation) string { return "[" + string(rune('0'+a.StartIndex)) + "]" }
			assert.Equal(t, c.want, text.ReplaceAnnotations(mark))

			m := assistants.Message{Content: []assistants.ContentPart{{ImageFile: &assistants.ImageFile{}}, {Text: text}, {Text: text}}}
			assert.Equal(t, c.want+"\n"+c.want, m.ReplaceAnnotations(mark))
		})
	}
}
