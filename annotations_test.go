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

// Services are known to count bytes, or not at all: what a mark says finds it then.
func TestReplaceAnnotationsByText(t *testing.T) {
	t.Parallel()
	type a = assistants.Annotation
	for _, c := range []struct {
		name, value string
		annotations []assistants.Annotation
		want        string
	}{
		{"indices that are right", "x【1】【1】", []a{{Text: "【1】", StartIndex: 4, EndIndex: 7}}, "x【1】[【1】]"},
		{"indices of bytes", "Ü😀 so【1】, and【2】.", []a{{Text: "【1】", StartIndex: 9, EndIndex: 16}, {Text: "【2】", StartIndex: 21, EndIndex: 28}},
			"Ü😀 so[【1】], and[【2】]."},
		{"no indices", "a【1】b【2】c【1】", []a{{Text: "【1】"}, {Text: "【2】"}, {Text: "【1】"}}, "a[【1】]b[【2】]c[【1】]"},
		{"indices outside", "a【1】", []a{{Text: "【1】", StartIndex: 70, EndIndex: 73}}, "a[【1】]"},
		{"negative indices", "a【1】", []a{{Text: "【1】", StartIndex: -3, EndIndex: -1}}, "a[【1】]"},
		{"indices the wrong way round", "a【1】", []a{{Text: "【1】", StartIndex: 3, EndIndex: 1}}, "a[【1】]"},
		{"text that is nowhere", "Hello", []a{{Text: "【1】"}, {Text: "【2】", StartIndex: 1, EndIndex: 4}}, "Hello"},
		{"text that is not there again", "a【1】b", []a{{Text: "【1】"}, {Text: "【1】"}}, "a[【1】]b"},
		{"one over another", "a【1】b【1】", []a{{Text: "【1】", StartIndex: 1, EndIndex: 4}, {Text: "】b", StartIndex: 3, EndIndex: 5},
			{Text: "【1】", StartIndex: 5, EndIndex: 8}}, "a[【1】]b[【1】]"},
		{"two at one place", "a【1】b【1】", []a{{Text: "【1】", StartIndex: 1, EndIndex: 4}, {Text: "【1】", StartIndex: 1, EndIndex: 4}}, "a[【1】]b【1】"},
		{"invalid UTF-8", "a\xff【1】", []a{{Text: "【1】"}}, "a\ufffd[【1】]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := assistants.Text{Value: c.value, Annotations: c.annotations}
			assert.Equal(t, c.want, text.ReplaceAnnotations(func(a assistants.Annotation) string { return "[" + a.Text + "]" }))
		})
	}
}
