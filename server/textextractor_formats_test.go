package server_test

import (
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const smallPage = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Opening hours &ndash; Harbour Museum</title>
  <style>h1 > b { color: red }</style>
  <script>if (a < b && "</p>") document.write("<p>no</p>")</script>
</head>
<body class="a>b">
  <!-- navigation <b>starts</b> here -->
  <nav><ul><li><a href="/?a=1&amp;b=2">Home</a></li><li><a href='/shop' title="a > b">Shop</a></li></ul></nav>
  <h1>Opening <b>hours</b></h1>
  <p>We are open&nbsp;daily,
     except on <em>Mon</em>days.<br>Entry: 5&nbsp;&euro; &lt;18: free.</p>
  <img src="map.png" alt="Map of the &quot;old&quot; harbour">
  <table><tr><th>Day</th><th>Hours</th></tr><tr><td>Sunday</td><td>10&#8211;16</td></tr></table>
  <pre>
Line  one
  line <i>two</i>
</pre>
  <p>See you!
</body>
</html>
`

// The readable text of HTML.
func TestExtractHTML(t *testing.T) {
	t.Parallel()
	const text = "Opening hours – Harbour Museum\n\nHome\nShop\n\nOpening hours\n\nWe are open daily, except on Mondays.\n" +
		"Entry: 5 € <18: free.\n\nMap of the \"old\" harbour\n\nDay\tHours\nSunday\t10–16\n\nLine  one\n  line two\n\nSee you!"
	checkExtracts(t, map[string]extraction{
		"a page":                   {"a.html", smallPage, text},
		"a page by its content":    {"a.txt", smallPage, text},
		"behind comments":          {"a", "\ufeff\n<!-- x -->\n<?xml version='1.0'?><HTML lang=en><p>a", "a"},
		"by its name":              {"a.HTM", "a<p>b", "a\n\nb"},
		"no page by its name":      {"a.md", "<p>a</p>", "<p>a</p>"},
		"nothing to read":          {"a.html", "<html><script>x</script>", ""},
		"no ends":                  {"a.html", "<ul><li>a<li>b</ul><p>c<p>d", "a\nb\n\nc\n\nd"},
		"upper case":               {"a.html", "a<P>b<SCRIPT>x</ScRiPt >c<IMG ALT=d>", "a\n\nbc d"},
		"inside of words":          {"a.html", "a<b>b</b>c <i>d</i> e&shy;f<wbr>g", "abc d efg"},
		"quoted ends":              {"a.html", `<a x=">" y='">' z=a"b>c</a>d`, "cd"},
		"a quote never closed":     {"a.html", `<a x="b>c</a>d`, "cd"},
		"a tag never closed":       {"a.html", `a<b c`, "a"},
		"a comment never closed":   {"a.html", `a<!-- b`, "a"},
		"a script never closed":    {"a.html", `a<script>b<p>c</scripts>d`, "a"},
		"a script closed at last":  {"a.html", `a<script>b</script`, "a"},
		"short comments":           {"a.html", "a<!-->b<!--->c<!---->d<!-- > -->e<!x>f</>g<?php ?>h", "abcdefgh"},
		"less than":                {"a.html", "1 < 2 <3 a<", "1 < 2 <3 a<"},
		"entities":                 {"a.html", "&lt;b&gt; &amp;lt; &copy &nosuch; &#0; &#xd800; &#x1F44D; &#99999999; & &", "<b> &lt; © &nosuch; \ufffd \ufffd 👍 \ufffd & &"},
		"an entity over a tag":     {"a.html", "&am<b></b>p;", "&amp;"},
		"no scripts in attributes": {"a.html", `<p title="<script>">a</p>`, "a"},
		"pre ends too often":       {"a.html", "</pre></pre>a  b<pre>c  d</pre>e  f", "a b\n\nc  d\n\ne f"},
		"alternatives":             {"a.html", `a<img alt="b  c">d<img alt=e><img alt="">f<img alt=g/>`, "a b c d e f g/"},
		"only space":               {"a.html", " \n <p> \n </p> ", ""},
	})
}

// A text that is decoded in several parts is as one that is decoded at once.
func TestExtractLongHTML(t *testing.T) {
	t.Parallel()
	for shift := range 12 {
		text, err := extract(t, "a.html", strings.Repeat("x", shift)+strings.Repeat("a&amp;b &eacute", 30_000))
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("x", shift)+strings.Repeat("a&b é", 30_000), text)
	}
}

// JSON as lines that can be read.
func TestExtractJSON(t *testing.T) {
	t.Parallel()
	checkExtracts(t, map[string]extraction{
		"an object": {"a.json", `{"z":"caf\u00e9 \"x\"\nnext","a":1.50e+3,"t":true,"f":false,"n":null,"":""}`,
			"z: café \"x\"\nnext\na: 1.50e+3\nt: true\nf: false\nn: null\n: \n"},
		"nested": {"a", ` {"a":{"b":{"c":1}},"d":[1,2,"x",["y"],{"e":2,"f":[]},3,4]} `,
			"a:\n  b:\n    c: 1\nd:\n  - 1, 2\n  - x\n  - - y\n  - e: 2\n    f:\n  - 3, 4\n"},
		"an array":        {"a.txt", `["a","b",{},[],"c"]`, "- a\n- b\n- \n- \n- c\n"},
		"rows":            {"a.json", `[[1,2],[3,4]]`, "- - 1, 2\n- - 3, 4\n"},
		"a number":        {"a.json", "12345678901234567890.10", "12345678901234567890.10\n"},
		"a string":        {"a.json", `"\u0061\/"`, "a/\n"},
		"half a pair":     {"a.json", `["\ud800","\u0000"]`, "- \ufffd\n- \ufffd\n"},
		"twice a key":     {"a.json", `{"a":1,"a":2}`, "a: 1\na: 2\n"},
		"JSON Lines":      {"a.jsonl", "{\"a\":1,\"b\":2}\n\n{\"a\":3}\r\n", "a: 1\nb: 2\n\na: 3\n"},
		"without a name":  {"a.log", "{\"a\":1}\n{\"a\":3}", "a: 1\n\na: 3\n"},
		"behind a value":  {"a.json", "[1] [2]", "[1] [2]"},
		"a link":          {"a.md", "[1] is a link", "[1] is a link"},
		"a task":          {"a.md", "[ ] to do\n[x] done", "[ ] to do\n[x] done"},
		"cut":             {"a.json", `{"a":[1,2`, `{"a":[1,2`},
		"a cut last line": {"a.jsonl", "{\"a\":1}\n{\"a\":", "{\"a\":1}\n{\"a\":"},
		"wrong ends":      {"a.json", `{"a":[1}]`, `{"a":[1}]`},
		"a scalar":        {"a.txt", `"a"`, `"a"`},
		"too deep":        {"a.json", strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)},
		"a bare tab":      {"a.json", "{\"a\":\"x\ty\"}", "{\"a\":\"x\ty\"}"},
		"nothing inside":  {"a.json", "{}", "{}"},
	})
}

// Every word of a JSON text can be found in its lines, and only JSON becomes lines.
func FuzzExtractJSON(f *testing.F) {
	f.Add(`{"a":["b",{"c":"d\n"}],"e":1}`)
	f.Add("[\"a\tb\"]")
	f.Add(`[1,]`)
	f.Add(`{"a" "b"}`)
	f.Fuzz(func(t *testing.T, content string) {
		text, err := extract(t, "a.json", content)
		if err != nil || strings.ContainsAny(content, "\r\ufeff") || !utf8.ValidString(content) {
			return
		}
		if text == content {
			nothing := strings.Trim(content, " \t\n[]{}\"") == ""
			assert.True(t, nothing || !json.Valid([]byte(content)), "%q is JSON", content)
			return
		}
		in := json.NewDecoder(strings.NewReader(content))
		in.UseNumber()
		for {
			var value any
			err := in.Decode(&value)
			if err == io.EOF {
				return
			}
			require.NoError(t, err, "%q became %q", content, text)
			checkWords(t, value, text)
		}
	})
}

func checkWords(t *testing.T, value any, text string) {
	switch v := value.(type) {
	case json.Number:
		assert.Contains(t, text, v.String())
	case string:
		assert.Contains(t, text, strings.ReplaceAll(v, "\x00", "\ufffd"))
	case []any:
		for _, element := range v {
			checkWords(t, element, text)
		}
	case map[string]any:
		for key, member := range v {
			assert.Contains(t, text, strings.ReplaceAll(key, "\x00", "\ufffd")+":")
			checkWords(t, member, text)
		}
	}
}

// The records of a table, each with its header.
func TestExtractCSV(t *testing.T) {
	t.Parallel()
	checkExtracts(t, map[string]extraction{
		"a table": {"a.csv", "Name,Town,Note\nAnna,Lisbon,\"says \"\"hi\"\",\nand \"\"bye\"\"\"\nBob,,x\n",
			"Name: Anna\nTown: Lisbon\nNote: says \"hi\",\nand \"bye\"\n\nName: Bob\nNote: x\n"},
		"CR LF":               {"a.CSV", "a,b\r\n1,\"2\r\n3\"\r\n", "a: 1\nb: 2\n3\n"},
		"semicolons":          {"a.csv", "a;b\n1,5;2\n", "a: 1,5\nb: 2\n"},
		"tabs":                {"a.csv", "a\tb\n1\t2\n", "a: 1\nb: 2\n"},
		"TSV":                 {"a.tsv", "a,x\tb\n1\t2,3,4\n", "a,x: 1\nb: 2,3,4\n"},
		"a column":            {"a.csv", "a\n1\n\n2", "a: 1\n\na: 2\n"},
		"no name of a column": {"a.csv", "a, \n1,2\n", "a: 1\n2\n"},
		"an empty record":     {"a.csv", "a,b\n1,2\n,\n3,4\n", "a: 1\nb: 2\n\na: 3\nb: 4\n"},
		"only a header":       {"a.csv", "a,b\n", "a,b\n"},
		"nothing":             {"a.csv", "", ""},
		"ragged":              {"a.csv", "a,b\n1,2\n3\n", "a,b\n1,2\n3\n"},
		"a broken quote":      {"a.csv", "a,b\n1,\"2\n3,4\n", "a,b\n1,\"2\n3,4\n"},
		"a quote inside":      {"a.csv", "a,b\n1,2\"3\n", "a,b\n1,2\"3\n"},
		"another name":        {"a.txt", "a,b\n1,2\n", "a,b\n1,2\n"},
	})
	long := strings.Repeat("header", 10_000) + "\n" + strings.Repeat("1\n", 10_000)
	checkExtract(t, "a.csv", long, long)
}

// A table is one only as long as its records are short, and its text not much longer than itself.
func TestExtractTablesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]string{
		"a quote that is never closed": "a,b\n1,2\n\"" + strings.Repeat("3,4\n", 300_000),
		"a long value":                 "a,b\n1,\"" + strings.Repeat("x", 2<<20) + "\"\n",
		"long headers":                 strings.Repeat("h", 100) + ",b\n" + strings.Repeat("1,2\n", 100_000),
	} {
		text, err := extract(t, "a.csv", table)
		require.NoError(t, err)
		assert.True(t, text == table, name)
	}
	text, err := extract(t, "a.csv", "a,b\n"+strings.Repeat("1,2\n", 400_000))
	require.NoError(t, err)
	assert.True(t, text == strings.TrimSuffix(strings.Repeat("a: 1\nb: 2\n\n", 400_000), "\n"))
}

// JSON whose text would be much longer than itself is text like any other.
func TestExtractJSONOfManyLines(t *testing.T) {
	t.Parallel()
	json := "[[[[[[[" + strings.Repeat("[],", 400_000) + "[]]]]]]]]"
	text, err := extract(t, "a.json", json)
	require.NoError(t, err)
	assert.True(t, text == json)
}

// What extracting takes from memory in all, garbage included, is in proportion to the file.
func TestExtractTakesLittleMemory(t *testing.T) { // not in parallel: others take memory as well
	const size = 8 << 20
	for name, file := range map[string]struct {
		name, content string
		most          uint64 // times the size
	}{
		"text":      {"a.txt", strings.Repeat("some words\n", size/11), 2},
		"lines":     {"a.txt", strings.Repeat("a\r\n", size/3), 3},
		"a table":   {"a.csv", "name,b\n" + strings.Repeat("some,words\n", size/11), 7},
		"headers":   {"a.csv", strings.Repeat("h", 64) + ",b\n" + strings.Repeat("fourteen bytes,b\n", size/17), 2},
		"an array":  {"a.json", "[[[[[[[" + strings.Repeat("[],", size/3) + "[]]]]]]]]", 2},
		"an object": {"a.json", `{"a":1` + strings.Repeat(`,"key":"value"`, size/14) + `}`, 8},
		"a page":    {"a.html", "<html>" + strings.Repeat("<p>words &amp; more", size/19), 8},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := extract(t, file.name, file.content)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		assert.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, file.most*size, name)
	}
}
