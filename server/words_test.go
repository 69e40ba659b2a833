package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

// Words are compared as people mean them. Every text here is one chunk, and a question about it finds it or not.
func TestLexicalWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		finds      string // questions, each of which finds the text
		misses     string // questions, none of which does
	}{
		{"case", "The REFUND Policy", "refund|Refund|rEFUND|POLICY", "fund|polic"},
		{"plural", "two refunds, policies, boxes, classes, houses", "refund|policy|box|class|house|HOUSES", "hou|pol"},
		{"no plural", "the status of a class in a crisis", "status|class|crisis", "statu|cri"},
		{"ing", "shipping and billing while caching", "ship|ships|bill|bills|cache|caches|cached", "shipment"},
		{"ed", "shipped, tried, cancelled, invoiced", "ship|shipping|try|tries|cancel|invoice|invoicing", "invoicer"},
		{"no ending", "a string, a king, a bed, the need, speed, using", "strings|kings|beds|needed|speeding|using", "str|k|b|ne|spe|us"},
		{"short words", "is as us the ox", "is|as|us|the|ox", "a|i|u|o"},
		{"numbers", "Invoice 2024-117 of 1,250.50 EUR, ISO9001", "2024|117|250|50|iso9001", "20|24|9001|202"},
		{"a digit behind a small letter", "decode utf8Text", "utf8Text|utf8|text|utf8text", "utf|8"},
		{"control characters", "a\x10b\x00c\x15", "a|b|c", "ab|bc|\x10|0|5"},
		{"camel case", "func getUserName(id int)", "get|user|name|getUserName|getusername|GET_USER_NAME|user names", "getuse|ser|usern"},
		{"low lines", "SELECT max_retry_count FROM _jobs_", "max|retry|count|max_retry_count|maxRetryCount|jobs|job", "retrycount"},
		{"abbreviations", "type HTTPServer struct; PDFs, userIDs", "http|server|httpserver|HTTP_SERVER|pdf|user|ids", "htt|pd|fs"},
		{"one part only", "___init___ and Main", "init|main", "_|__"},
		{"punctuation", "e-mail: info@example.com (don't!)", "mail|info|example|com|don", "infoexample|@|-|!?"},
		{"accents", "Crème brûlée à la Çelik, Łódź, naïve", "creme|brulee|crème|celik|lodz|naive|naïve|NAÏVE", "crme"},
		{"accents of their own", "cafe\u0301 u\u0308ber", "café|cafe|über|uber", "caf\u00e9s\u00e9"},
		{"accents in a name of code", "größeÄndern", "größe|andern|grÖßeändern", "grosse"},
		{"soft hyphens", "dono\u00adghue steam\u00adship", "donoghue|steamship", "dono|steam"},
		{"Greek", "Ο ΔΡΟΜΟΣ", "δρομος|ΔΡΟΜΟΣ", "δρομο"},
		{"Russian", "Ёлка и Договор", "елка|ёлка|договор|ДОГОВОР", "дог"},
		{"Hindi", "हिन्दी में किताब", "हिन्दी|किताब", "ह|हिन"},
		{"Chinese", "退款政策适用于所有订单", "退款|政策|退款政策|订单|单|退款 2024", "发票|货"},
		{"Japanese", "お茶を飲むデータベース", "お茶|茶|データ|データベース", "水|紅"},
		{"Korean", "서울에서 환불을 받다", "환불|서울", "부산"},
		{"Thai", "นโยบายการคืนเงิน", "คืนเงิน|นโยบาย", "ฮฮ"},
		{"scripts in one word", "使用API访问Tokyo東京", "api|访问|tokyo|東京|使用API", "tok|ap|题目"},
		{"wide letters", "ＡＢＣ１２３", "abc123|ABC123", "abc"},
		{"invalid UTF-8", "abc\xff\xfedef \xc3", "abc|def", "abcdef"},
		{"emoji", "Well done 👍🏽 ❤️", "well|done", "👍|❤️|\ufe0f"},
		{"marks alone", "\u0301 a_\u0301_b", "a|b", "\u0301"},
		{"a long word", strings.Repeat("x", 1000) + " " + strings.Repeat("é", 1000),
			strings.Repeat("x", 128) + "|" + strings.Repeat("x", 5000) + "|" + strings.Repeat("é", 64), strings.Repeat("x", 127) + "|x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := server.NewLexicalRetriever()
			lexicalIndex(t, r, "vs_1", "file-1", tc.text)
			for question := range strings.SplitSeq(tc.finds, "|") {
				assert.Len(t, lexicalSearch(t, r, "vs_1", question), 1, "%.40q", question)
			}
			for question := range strings.SplitSeq(tc.misses, "|") {
				assert.Empty(t, lexicalSearch(t, r, "vs_1", question), "%.40q", question)
			}
		})
	}
}
