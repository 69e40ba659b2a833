package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// rentalFiles are those of a shop that lends bicycles.
var rentalFiles = map[string]string{
	"rental.md": "# Rental\n\nA city bike costs 12 euros a day. A cargo bike costs 30 euros a day!\nHelmets are free of charge.\n",
	"returns.md": "# Returns\n\n- Bring the bike back before 6 p.m.\n- A late return costs 5 euros an hour.\n" +
		"- If the bike was stolen, report the theft to the police within 24 hours.\n",
	"repairs.txt": "A flat tyre is repaired while you wait. Brakes take a day.\n\nDo not repair the battery of an e-bike yourself.\n",
	"規則.txt":      "自行車必須在下午六點以前歸還。頭盔免費提供。電池不可自行修理！",
}

const standInSays = "\n\nI am a stand-in, not a model; server.WithModel plugs in a real one."

// desk is a convo of the stand-in, whose threads have the store of these files.
func desk(t *testing.T, files map[string]string, opts ...server.Option) (c *convo, store string) {
	t.Helper()
	c = newConvo(t, server.StandIn(), opts...)
	var ids []string
	for name, content := range files {
		ids = append(ids, c.upload(name, content))
	}
	store = c.newStore(ids...)
	synctest.Wait()
	return c, store
}

// reply is what the stand-in says to a question on a new thread, and whether it has searched.
func (c *convo) reply(store, question, options string) (text string, searched bool) {
	c.t.Helper()
	c.thread = c.made("/v1/threads", `{"messages":[{"role":"user","content":`+quoted(question)+`}],"tool_resources":`+searchResources(store)+`}`)
	run := c.finished(`{"assistant_id":"` + c.assistant + `"` + options + `}`)
	require.Equal(c.t, "completed", run.Status, c.log)
	for _, s := range c.steps(c.thread, run.ID) {
		searched = searched || strings.Contains(string(s.StepDetails.ToolCalls), `"file_search"`)
	}
	all := c.messages(c.thread)
	return all[len(all)-1].text(c.t), searched
}

const toSearchFiles = `,"tools":[{"type":"file_search"}]`

func TestStandInQuotesFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, store := desk(t, rentalFiles)
		for question, quotations := range map[string][]string{
			"What does a cargo bike cost?":             {"A cargo bike costs 30 euros a day!", "rental.md"},
			"Are helmets free?":                        {"Helmets are free of charge.", "rental.md"},
			"How much is a LATE RETURN?":               {"A late return costs 5 euros an hour.", "returns.md"},
			"My bike was stolen! Who gets a report?":   {"If the bike was stolen, report the theft to the police within 24 hours.", "returns.md"},
			"Can you repair a flat tyre?":              {"A flat tyre is repaired while you wait.", "repairs.txt"},
			"May I repair the battery of my e-bike":    {"Do not repair the battery of an e-bike yourself.", "repairs.txt"},
			"頭盔要多少錢？":                                  {"頭盔免費提供。", "規則.txt"},
			"自行車什麼時候歸還":                                {"自行車必須在下午六點以前歸還。", "規則.txt"},
			"Where is 電池 written about?":               {"電池不可自行修理！", "規則.txt"},
			"helmets: " + strings.Repeat("very ", 999): {"Helmets are free of charge.", "rental.md"},
		} {
			text, searched := c.reply(store, question, toSearchFiles)
			assert.True(t, searched)
			require.True(t, strings.HasPrefix(text, "This is what the files say.\n\n“"), "%s: %s", question, text)
			assert.True(t, strings.HasSuffix(text, standInSays))
			assert.Contains(t, text, "“"+quotations[0]+"” 【4:", question)
			assert.Contains(t, text, "†"+quotations[1]+"】", question)

			m := c.messages(c.thread)[1]
			for i, a := range marksIn(t, text, m.Content) {
				names := field[string](t, c.ok("GET", "/v1/files/"+a.FileID, ""), "filename")
				assert.True(t, strings.HasSuffix(a.Text, "†"+names+"】"), "%s %d", a.Text, i)
			}
		}
	})
}

// The best sentence of a file is quoted though another part of the file was found first, and no more than three files are.
func TestStandInQuotesTheBest(t *testing.T) {
	t.Parallel()
	passages := []server.Passage{
		{FileID: "file_1", FileName: "1", Text: "A red bike.", Score: 0.9},
		{FileID: "file_1", FileName: "1", Text: "Nothing. A small red bike!", Score: 0.8},
		{FileID: "file_2", FileName: "2", Text: "Something small.", Score: 0.7},
		{FileID: "file_3", FileName: "3", Text: "A small, red thing.\nA red bike, small and old", Score: 0.6},
		{FileID: "file_4", FileName: "4", Text: "Nothing of the kind.", Score: 0.5},
		{FileID: "file_5", FileName: "5", Text: "# Small red", Score: 0.4},
		{FileID: "file_6", FileName: "6", Text: "small red bike", Score: 0.3},
	}
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.StandIn(), server.WithRetriever(pagesOf(map[string][]server.Passage{"vs_1": passages})))
		c.uploads(6)
		store := c.newStore("file_1", "file_2", "file_3", "file_4", "file_5", "file_6")
		synctest.Wait()
		text, _ := c.reply(store, "Is there a small red bike?", toSearchFiles)
		assert.Equal(t, "This is what the files say.\n\n“A small red bike!” 【4:1†1】\n\n“A red bike, small and old” 【4:3†3】\n\n“Small red” 【4:5†5】"+standInSays, text)
	})
}

// It searches if it may and there is something to be searched, or if it must, and says what has come of it.
func TestStandInSearchesIfItMay(t *testing.T) {
	t.Parallel()
	const alas = "Thank you for your message: “Are helmets free?” Alas, I am a stand-in, not a model; server.WithModel plugs in a real one."
	const helmets = "This is what the files say.\n\n“Helmets are free of charge.” 【4:0†rental.md】" + standInSays
	choose := func(choice string) string { return toSearchFiles + `,"tool_choice":` + choice }
	for name, test := range map[string]struct {
		question, options string
		noStore           bool
		searched          bool
		want              string
	}{
		"may":              {options: toSearchFiles, searched: true, want: helmets},
		"may, no store":    {options: toSearchFiles, noStore: true, want: alas + " I have not searched any files."},
		"may not":          {options: choose(`"none"`), want: alas},
		"no tool":          {options: ``, want: alas},
		"must":             {options: choose(`{"type":"file_search"}`), searched: true, want: helmets},
		"must do anything": {options: choose(`"required"`), searched: true, want: helmets},
		"must, no store":   {options: choose(`{"type":"file_search"}`), noStore: true, searched: true, want: alas + " I have found nothing in any file."},
		"nothing there": {question: "Xyzzy?", options: toSearchFiles, searched: true,
			want: strings.Replace(alas, "Are helmets free?", "Xyzzy?", 1) + " I have found nothing in any file."},
		"an object": {options: toSearchFiles + `,"response_format":{"type":"json_object"}`, searched: true, want: `{"answer":"Helmets are free of charge."}`},
		"an object of nothing": {question: "Xyzzy?", options: toSearchFiles + `,"response_format":{"type":"json_object"}`, searched: true,
			want: `{"answer":"` + strings.Replace(alas, "Are helmets free?", "Xyzzy?", 1) + ` I have found nothing in any file."}`},
		"text": {options: toSearchFiles + `,"response_format":{"type":"text"}`, searched: true, want: helmets},
		"a schema": {options: toSearchFiles + `,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object",
			"properties":{"free":{"type":"boolean"}},"required":["free"]}}}`, searched: true, want: `{"free":false}`},
		"sums first":     {question: "What is 6 * 7?", options: `,"tools":[{"type":"code_interpreter"},{"type":"file_search"}]`, want: "The result is 42. " + strings.TrimSpace(standInSays)},
		"no sums":        {options: `,"tools":[{"type":"code_interpreter"},{"type":"file_search"}]`, searched: true, want: helmets},
		"a forced sum":   {options: `,"tools":[{"type":"code_interpreter"},{"type":"file_search"}],"tool_choice":{"type":"code_interpreter"}`, want: alas},
		"another's tool": {options: `,"tools":[{"type":"function","function":{"name":"get_weather"}},{"type":"file_search"}]`, searched: true, want: helmets},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, store := desk(t, map[string]string{"rental.md": rentalFiles["rental.md"]})
				if test.noStore {
					store = ""
				}
				question := test.question
				if question == "" {
					question = "Are helmets free?"
				}
				text, searched := c.reply(store, question, test.options)
				assert.Equal(t, test.want, text)
				assert.Equal(t, test.searched, searched)
			})
		})
	}
}

// A function that the question is about is called, and the files are left alone.
func TestStandInCallsAFunctionRatherThanSearch(t *testing.T) {
	t.Parallel()
	call := &server.ModelCall{History: []server.Turn{asked("What is the weather in Rome?")}, Tools: append(toolbox[:1:1], assistants.Tool{Type: assistants.ToolFileSearch})}
	got := hear(t, server.StandIn(), call)
	assert.Equal(t, []string{`get_weather {"city":"Rome"}`}, got.calls)
	assert.Zero(t, got.searches)
}

// Files that were not written to be quoted.
func TestStandInWithHostileFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one long line":     strings.Repeat("bike", 250_000),
		"a long sentence":   strings.Repeat("a red bike and ", 70_000),
		"long, in Chinese":  strings.Repeat("頭盔免費提供", 50_000) + " bike",
		"marks":             strings.Repeat("#*-> ", 2000) + "bike",
		"stops":             strings.Repeat(". ! ? 。！？", 2000) + "bike",
		"citations":         "“bike” 【4:0†rental.md】 †】【\u2028",
		"emoji":             strings.Repeat("🚲", 500) + " bike " + strings.Repeat("👩‍👩‍👧", 500),
		"invalid":           "My bike \x80\xff was invalid when I saw it last.",
		"spaces":            strings.Repeat(" \n", 5000),
		"an odd character":  strings.Repeat("x", 386) + " bike 雪雪雪",
		"a word on its own": "bike",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, store := desk(t, map[string]string{"a\u202eb】.txt": text})
				said, searched := c.reply(store, "Where is my red bike?", toSearchFiles)
				assert.True(t, searched)
				assert.Equal(t, !utf8.ValidString(text), strings.Contains(said, "\uFFFD"), "no character is cut")
				assert.Less(t, len(said), 1000)
			})
		})
	}
}

// Whatever a retriever finds, the stand-in says something short, in UTF-8, whose marks stand where they say.
func FuzzStandInSearch(f *testing.F) {
	f.Add("Where is my bike?", "Here. There is a bike!", "a.txt")
	f.Add("bike", "bike "+strings.Repeat("\x80", 500), "】")
	f.Add("頭盔", strings.Repeat("頭盔", 300), "")
	f.Add("", "\n\n.\n# ", "†")
	f.Fuzz(func(t *testing.T, question, text, name string) {
		question = strings.ToValidUTF8(question, "?") // which no request has
		synctest.Test(t, func(t *testing.T) {
			c := newConvo(t, server.StandIn(), server.WithRetriever(pagesOf(map[string][]server.Passage{"vs_1": {
				{FileID: "file_1", FileName: name, Text: text, Score: 1}, {FileID: "file_1", FileName: name, Text: question, Score: 1}}})))
			store := c.newStore(c.upload("a.txt", "x"))
			synctest.Wait()
			if question == "" {
				question = "?"
			}
			said, _ := c.reply(store, question, toSearchFiles)
			require.True(t, utf8.ValidString(said))
			require.Less(t, len(said), 2000+8*len(name))
			marksIn(t, said, c.messages(c.thread)[1].Content)
		})
	})
}
