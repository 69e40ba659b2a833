package server

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file is what the stand-in understands of a question: words, names and numbers.

// maxQuestion is how many bytes of a question the stand-in reads.
const maxQuestion = 4096

// questionOf is what the user asked last, as much of it as is read.
func questionOf(call *ModelCall) string {
	m := call.LastUserMessage()
	if m == nil {
		return ""
	}
	text := m.Text()
	return strings.ToValidUTF8(text[:min(len(text), maxQuestion)], "")
}

// idle are words that say nothing about what a question is about.
var idle = wordSet(`about and any are can could did does for from get give has have how into its know like may need not
	one our out please set shall should some tell than that the them then there these they this use want was what when
	where which who why will with would you your`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// keywords are the words of a text that may say what it is about, in lower case and without a plural's s. A change of
// case inside a word is the beginning of another one, as in getWeather.
func keywords(text string) map[string]bool {
	var spaced strings.Builder
	small := false
	for _, r := range text[:min(len(text), maxQuestion)] {
		switch {
		case !unicode.IsLetter(r):
			r = ' '
		case unicode.IsUpper(r) && small:
			spaced.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		spaced.WriteRune(unicode.ToLower(r))
	}
	set := map[string]bool{}
	for word := range wordSet(spaced.String()) {
		if stem := strings.TrimSuffix(word, "s"); len(stem) > 2 && !idle[word] {
			set[stem] = true
		}
	}
	return set
}

// hasWord tells whether a text has a word that is not a part of a longer one.
func hasWord(text, word string) bool {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		text = text[i+len(word):]
		after, _ := utf8.DecodeRuneInString(text)
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
	}
}

var numberPattern = regexp.MustCompile(`-?\b\d+(\.\d+)?\b`)

// numbersIn returns the numbers of a question that are not too large to be a number of something.
func numbersIn(question string) []float64 {
	var numbers []float64
	for _, text := range numberPattern.FindAllString(question, -1) {
		if n, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(n) < 1e15 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

var quotedPattern = regexp.MustCompile("\"([^\"]+)\"|“([^”]+)”|`([^`]+)`")

// phrasesIn returns what a question has in quotation marks and, behind that, names: words with a capital that do not
// begin a sentence, together with those that follow at once, as in "Lisbon, Portugal".
func phrasesIn(question string) []string {
	var phrases []string
	for _, groups := range quotedPattern.FindAllStringSubmatch(question, -1) {
		phrases = append(phrases, strings.Join(groups[1:], ""))
	}
	begins := true // a sentence
	joint := ""    // between the last name and one that follows; "": that is another one
	for _, field := range strings.Fields(quotedPattern.ReplaceAllString(question, "")) {
		word := strings.TrimFunc(field, unicode.IsPunct)
		word = strings.TrimSuffix(strings.TrimSuffix(word, "'s"), "’s")
		first, _ := utf8.DecodeRuneInString(word)
		isName := !begins && word != "I" && unicode.IsUpper(first)
		switch {
		case isName && joint != "":
			phrases[len(phrases)-1] += joint + word
		case isName:
			phrases = append(phrases, word)
		}
		joint = ""
		if isName && strings.HasSuffix(field, word) {
			joint = " "
		} else if isName && strings.HasSuffix(field, word+",") {
			joint = ", "
		}
		begins = strings.ContainsAny(field[len(field)-1:], ".?!:")
	}
	return phrases
}
