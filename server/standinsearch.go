package server

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assistants-go/assistants"
)

// maxQuoted is how many files the stand-in quotes in one answer, and how many bytes of each.
const maxQuoted, maxQuotation = 3, 400

// quoteFiles searches the run's vector stores and quotes what it finds.
func quoteFiles(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
	question := questionOf(call)
	if !SearchFiles()(ctx, call, yield) {
		return false
	}
	quotations := quotationsFrom(call.found, question)
	if len(quotations) == 0 {
		return Say(inFormat(call, question, reaction(question)+" I have found nothing in any file."))(ctx, call, yield)
	}
	if call.ResponseFormat.Type != "" && call.ResponseFormat.Type != assistants.ResponseFormatAuto && call.ResponseFormat.Type != assistants.ResponseFormatText {
		return Say(inFormat(call, question, quotations[0].text))(ctx, call, yield) // marks would be no JSON
	}
	actions := []Action{Say("This is what the files say.")}
	for _, q := range quotations {
		actions = append(actions, Say("\n\n“"+q.text+"” "), CiteResult(q.result))
	}
	return perform(ctx, call, yield, append(actions, Say("\n\n"+standInNote))...)
}

// hasVectorStores tells whether there is something to be searched.
func hasVectorStores(call *ModelCall) bool {
	return call.ToolResources.FileSearch != nil && len(call.ToolResources.FileSearch.VectorStoreIDs) > 0
}

// A quotation is a sentence of a result.
type quotation struct {
	result int
	text   string
	shared int // words with the question
}

// quotationsFrom returns the sentences that have most to do with a question, the best one of each file. What has much less to
// do with it than another is left out.
func quotationsFrom(found SearchCall, question string) []quotation {
	var all []quotation
	most := 0
	place := map[string]int{} // of a file's quotation
	asked := topics(question)
	for i := range found.Results {
		r := &found.Results[i]
		if len(r.Content) == 0 {
			continue
		}
		q := bestSentence(r.Content[0].Text, asked)
		q.result = i
		most = max(most, q.shared)
		switch known, quoted := place[r.FileID]; {
		case q.shared == 0:
		case !quoted:
			place[r.FileID] = len(all)
			all = append(all, q)
		case q.shared > all[known].shared:
			all[known] = q
		}
	}
	all = slices.DeleteFunc(all, func(q quotation) bool { return 2*q.shared <= most })
	return all[:min(len(all), maxQuoted)]
}

// bestSentence is the one that shares most words with a question, the first of several.
func bestSentence(text string, asked map[string]bool) quotation {
	var best quotation
	for _, sentence := range sentences(text) {
		shared := 0
		for word := range topics(sentence) {
			if asked[word] {
				shared++
			}
		}
		if shared > best.shared {
			best = quotation{text: sentence, shared: shared}
		}
	}
	if len(best.text) > maxQuotation {
		best.text = strings.ToValidUTF8(best.text[:maxQuotation], "") + "…"
	}
	return best
}

// topics are the keywords of a text and, where words are not told apart by spaces, every two characters that follow each
// other.
func topics(text string) map[string]bool {
	text = text[:min(len(text), maxQuestion)]
	set := keywords(text)
	for _, word := range wordsOf(text) {
		if first, size := utf8.DecodeRune(word); isUnspaced(first) && size < len(word) {
			set[string(word)] = true
		}
	}
	return set
}

// sentences cuts a text behind full stops and their like, and at line breaks.
func sentences(text string) []string {
	var all []string
	begin := 0
	cut := func(end int) {
		if s := strings.TrimLeft(strings.TrimSpace(text[begin:end]), "#*-> "); s != "" {
			all = append(all, s)
		}
		begin = end
	}
	for i, r := range text {
		switch r {
		case '\n':
			cut(i)
		case '.', '!', '?':
			if next, _ := utf8.DecodeRuneInString(text[i+1:]); unicode.IsSpace(next) {
				cut(i + 1)
			}
		case '。', '！', '？':
			cut(i + utf8.RuneLen(r))
		}
	}
	cut(len(text))
	return all
}
