package replay

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// This file is what comparisons of answers about files and vector stores let pass, as answers.go and normalise.go are for
// others.

var fileRules = slices.Concat(anyAnswerRules, []rule{
	{"files have no details of their status any more, which is not written", lost(each+`status_details`, `null`)},
	{"the service added expires_at to files in 2025; before that it is zero in Go", gained(each+`expires_at`, `null`)},
	{"the service added ids of the first and last file in 2025; before that they are \"\" in Go", gained(`first_id|last_id`, `""`)},
	{"a list of files could not go on in 2021", gained(`has_more`, `false`)},
})

var storeRules = slices.Concat(anyAnswerRules, []rule{
	{"a name or a description that is null is \"\" in Go", turned(each+`(name|description)`, `null`, `""`)},
	{"the service added descriptions of vector stores in 2025; before that they are \"\" in Go", gained(each+`description`, `""`)},
})

var storeFileRules = slices.Concat(anyAnswerRules, []rule{
	{"the service added attributes in 2025; before that they are nil in Go", gained(each+`attributes`, `null`)},
	{"the files of a batch are told without what they take up, which is 0 in Go", gained(each+`usage_bytes`, `0`)},
	{"the service added strategies in June 2024, but not to the files of a batch; elsewhere they are nil in Go",
		gained(each+`chunking_strategy`, `null`)},
})

var foundRules = slices.Concat(anyAnswerRules, []rule{
	{"where nothing follows, the next page that is null is \"\" in Go", turned(`next_page`, `null`, `""`)},
})

// serverRulesFor are the rules for the server's answer to a recorded request.
func serverRulesFor(e *recording.Exchange) []rule {
	switch elementOf(e.Path, 2) {
	case "files", "uploads":
		return fileServerRules
	case "vector_stores":
		return storeServerRules
	}
	return serverRules
}

// fileServerRules are for what the server answers about files, beside one of the service.
var fileServerRules = []rule{
	{"the service added to files when they expire in 2025, as null where they do not", gained(each+`expires_at`, `null`)},
	{"the service added details of their status to files after 2021, as null", gained(each+`status_details`, `null`)},
	{"a file to train with was uploaded until the service had looked at it, which the server does not",
		turned(each+`status`, `"uploaded"`, `"processed"`)},
	{"a name with a slash is a path to the server, of which the last element counts", turned(`filename`, `"text/csv"`, `"csv"`)},
	{"in 2026 the service repeated what is wrong under another key", lostLike(`detail`, `\{"message":".*","code":null\}`)},
	{"in lists of files the service named the first and the last one since 2025", gainedLike(`first_id|last_id`, `"file-\w+"`)},
	{"the service had no pages of files in 2021", gained(`has_more`, `false`)},
	{"a file of 2021 had its keys in another order", orderOf("id object bytes created_at filename purpose status")},
	{"a list of files had its keys in another order in 2023", orderOf("object has_more data")},
	{"the deletion of a file had its keys in another order in 2023", orderOf("object id deleted")},
}

// storeServerRules are for what the server answers about vector stores and the files in them.
var storeServerRules = []rule{
	{"the service added descriptions to vector stores in 2025, as null where there are none", gained(each+`description`, `null`)},
	{"a vector store of 2024 had its keys in another order",
		orderOf("id object name status usage_bytes created_at file_counts metadata expires_after expires_at last_active_at")},
	{"the service added attributes to files of vector stores in 2025, but not to those of batches until the end of it",
		gained(each+`attributes`, `{}`)},
	{"the service added strategies to files of vector stores in June 2024, but not to those of batches until the end of 2025",
		gainedLike(each+`chunking_strategy`, `\{"type":"static",.*\}`)},
	{"the service did not tell what the files of batches take up until the end of 2025",
		gainedLike(each+`usage_bytes`, `\d+`)},
	{"the service took its time between a batch and its files", secondApart(`data\[\d+\]\.created_at`)},
	{"into how many chunks a text is cut depends on its tokens, whose number is an estimate", nearUsage},
	{"files were read in any order; here all that came before one that has been read have been read too",
		turned(`data\[\d+\]\.status`, `"in_progress"`, `"completed"`)},
	{"a file that has been read before its time takes something up", turned(`data\[\d+\]\.usage_bytes`, `0`, `1045`)},
}

// orderOf lets keys pass that the service once had in this order.
func orderOf(keys string) func(jsondiff.Difference) bool {
	return func(d jsondiff.Difference) bool {
		want, _ := d.Want.([]string)
		return d.Order && strings.Join(want, " ") == keys
	}
}

// nearUsage lets a large size pass that is a sixth from the recorded one at most.
func nearUsage(d jsondiff.Difference) bool {
	want, isNumber := d.Want.(json.Number)
	got, isAlso := d.Got.(json.Number)
	if !isNumber || !isAlso || !at(d, each+`usage_bytes`) {
		return false
	}
	a, err := want.Float64()
	b, err2 := got.Float64()
	return err == nil && err2 == nil && a > 10_000 && math.Abs(a-b) < a/6
}
