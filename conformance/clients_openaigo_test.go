//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/pagination"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// official is openai-go.
type official struct {
	openai.Client
	t *testing.T
}

func newOfficial(t *testing.T, address string, opts ...option.RequestOption) official {
	return official{openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(address + "/v1/"), option.WithAPIKey("sk-official"), option.WithMaxRetries(0),
	}, opts...)...), t}
}

// answer is what the client itself has kept of it.
func (c official) answer(got any) string { return got.(interface{ RawJSON() string }).RawJSON() }

func (c official) test() *testing.T { return c.t }

// assistant makes one that has all tools.
func (c official) assistant() *openai.Assistant {
	c.t.Helper()
	return take(c.Beta.Assistants.New(c.t.Context(), openai.BetaAssistantNewParams{
		Model:        "gpt-4o",
		Name:         openai.String("Helper"),
		Description:  openai.String("Helps."),
		Instructions: openai.String("Be brief."),
		Metadata:     shared.Metadata{"team": "blue"},
		Temperature:  openai.Float(0.5),
		TopP:         openai.Float(0.9),
		Tools: []openai.AssistantToolUnionParam{
			{OfCodeInterpreter: &openai.CodeInterpreterToolParam{}},
			{OfFileSearch: &openai.FileSearchToolParam{FileSearch: openai.FileSearchToolFileSearchParam{
				MaxNumResults:  openai.Int(5),
				RankingOptions: openai.FileSearchToolFileSearchRankingOptionsParam{ScoreThreshold: 0.25, Ranker: "auto"},
			}}},
			openai.AssistantToolParamOfFunction(shared.FunctionDefinitionParam{
				Name: "get_weather", Description: openai.String("The weather of a city."),
				Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
			}),
		},
		ToolResources: openai.BetaAssistantNewParamsToolResources{
			CodeInterpreter: openai.BetaAssistantNewParamsToolResourcesCodeInterpreter{FileIDs: []string{"file-1"}},
			FileSearch:      openai.BetaAssistantNewParamsToolResourcesFileSearch{VectorStoreIDs: []string{"vs_1"}},
		},
		ResponseFormat: openai.AssistantResponseFormatOptionParamOfJSONSchema(schemaParam()),
	})).intact(c)
}

func schemaParam() shared.ResponseFormatJSONSchemaJSONSchemaParam {
	return shared.ResponseFormatJSONSchemaJSONSchemaParam{
		Name: "colours", Description: openai.String("Colours."), Schema: colours, Strict: openai.Bool(true),
	}
}

// thread makes one with a question.
func (c official) thread(question string) *openai.Thread {
	c.t.Helper()
	return take(c.Beta.Threads.New(c.t.Context(), openai.BetaThreadNewParams{
		Metadata: shared.Metadata{"topic": "tests"},
		Messages: []openai.BetaThreadNewParamsMessage{{
			Role: "user", Content: openai.BetaThreadNewParamsMessageContentUnion{OfString: openai.String(question)},
		}},
	})).intact(c)
}

func (c official) say(threadID, text string) *openai.Message {
	c.t.Helper()
	return take(c.Beta.Threads.Messages.New(c.t.Context(), threadID, userMessage(text))).intact(c)
}

func userMessage(text string) openai.BetaThreadMessageNewParams {
	return openai.BetaThreadMessageNewParams{
		Role: openai.BetaThreadMessageNewParamsRoleUser, Content: openai.BetaThreadMessageNewParamsContentUnion{OfString: openai.String(text)},
	}
}

func TestOfficialClientKeepsAssistants(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	made := c.assistant()
	require.Equal(t, []string{"code_interpreter", "file_search", "function"}, []string{made.Tools[0].Type, made.Tools[1].Type, made.Tools[2].Type})
	require.Equal(t, "get_weather", made.Tools[2].AsFunction().Function.Name)
	require.Equal(t, "colours", made.ResponseFormat.AsJSONSchema().JSONSchema.Name)

	got := take(c.Beta.Assistants.Get(t.Context(), made.ID)).intact(c)
	require.Equal(t, made.RawJSON(), got.RawJSON())

	changed := take(c.Beta.Assistants.Update(t.Context(), made.ID, openai.BetaAssistantUpdateParams{
		Model: "gpt-4o-mini", Name: openai.String("Other"), Tools: []openai.AssistantToolUnionParam{},
		ResponseFormat: openai.AssistantResponseFormatOptionParamOfAuto(),
	})).intact(c)
	require.Equal(t, "Other", changed.Name)
	require.Empty(t, changed.Tools)
	require.EqualValues(t, "auto", changed.ResponseFormat.OfAuto)
	require.Equal(t, "Be brief.", changed.Instructions)

	gone := take(c.Beta.Assistants.Delete(t.Context(), made.ID)).intact(c)
	require.True(t, gone.Deleted)
	_, err := c.Beta.Assistants.Get(t.Context(), made.ID)
	requireOfficialError(t, err, refusal{404, "invalid_request_error", "", "", "No assistant found with id '" + made.ID + "'."})
}

func TestOfficialClientKeepsThreads(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	made := take(c.Beta.Threads.New(t.Context(), openai.BetaThreadNewParams{
		Metadata: shared.Metadata{"topic": "tests"},
		ToolResources: openai.BetaThreadNewParamsToolResources{
			CodeInterpreter: openai.BetaThreadNewParamsToolResourcesCodeInterpreter{FileIDs: []string{"file-1"}},
			FileSearch: openai.BetaThreadNewParamsToolResourcesFileSearch{
				VectorStores: []openai.BetaThreadNewParamsToolResourcesFileSearchVectorStore{{FileIDs: []string{"file-2"}}},
			},
		},
	})).intact(c)
	require.Equal(t, []string{"file-1"}, made.ToolResources.CodeInterpreter.FileIDs)
	require.Len(t, made.ToolResources.FileSearch.VectorStoreIDs, 1)
	require.Equal(t, made.RawJSON(), take(c.Beta.Threads.Get(t.Context(), made.ID)).intact(c).RawJSON())

	changed := take(c.Beta.Threads.Update(t.Context(), made.ID, openai.BetaThreadUpdateParams{
		Metadata: shared.Metadata{"topic": "more"},
		ToolResources: openai.BetaThreadUpdateParamsToolResources{
			FileSearch: openai.BetaThreadUpdateParamsToolResourcesFileSearch{VectorStoreIDs: []string{"vs_2"}},
		},
	})).intact(c)
	require.Equal(t, shared.Metadata{"topic": "more"}, changed.Metadata)
	require.Equal(t, []string{"vs_2"}, changed.ToolResources.FileSearch.VectorStoreIDs)

	require.True(t, take(c.Beta.Threads.Delete(t.Context(), made.ID)).intact(c).Deleted)
	_, err := c.Beta.Threads.Messages.New(t.Context(), made.ID, userMessage("Anybody?"))
	requireOfficialError(t, err, refusal{404, "invalid_request_error", "", "", "No thread found with id '" + made.ID + "'."})
}

func TestOfficialClientKeepsMessages(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	thread := c.thread("Hello.")
	type tool = openai.BetaThreadMessageNewParamsAttachmentToolUnion
	search := openai.NewBetaThreadMessageNewParamsAttachmentToolFileSearch()
	made := take(c.Beta.Threads.Messages.New(t.Context(), thread.ID, openai.BetaThreadMessageNewParams{
		Role: openai.BetaThreadMessageNewParamsRoleUser,
		Content: openai.BetaThreadMessageNewParamsContentUnion{OfArrayOfContentParts: []openai.MessageContentPartParamUnion{
			openai.MessageContentPartParamOfText("What are these?"),
			openai.MessageContentPartParamOfImageURL(openai.ImageURLParam{URL: "https://host.example/a.png", Detail: openai.ImageURLDetailLow}),
			openai.MessageContentPartParamOfImageFile(openai.ImageFileParam{FileID: "file-1", Detail: openai.ImageFileDetailHigh}),
		}},
		Attachments: []openai.BetaThreadMessageNewParamsAttachment{
			{FileID: openai.String("file-2"), Tools: []tool{{OfCodeInterpreter: &openai.CodeInterpreterToolParam{}}, {OfFileSearch: &search}}},
		},
		Metadata: shared.Metadata{"kind": "pictures"},
	})).intact(c)
	require.Equal(t, "What are these?", made.Content[0].AsText().Text.Value)
	require.Equal(t, "https://host.example/a.png", made.Content[1].AsImageURL().ImageURL.URL)
	require.Equal(t, openai.ImageFileDetailHigh, made.Content[2].AsImageFile().ImageFile.Detail)
	require.Equal(t, "file_search", made.Attachments[0].Tools[1].Type)
	require.Equal(t, []string{"file-2"}, take(c.Beta.Threads.Get(t.Context(), thread.ID)).intact(c).ToolResources.CodeInterpreter.FileIDs)

	require.Equal(t, made.RawJSON(), take(c.Beta.Threads.Messages.Get(t.Context(), thread.ID, made.ID)).intact(c).RawJSON())
	changed := take(c.Beta.Threads.Messages.Update(t.Context(), thread.ID, made.ID, openai.BetaThreadMessageUpdateParams{
		Metadata: shared.Metadata{"kind": "other"},
	})).intact(c)
	require.Equal(t, shared.Metadata{"kind": "other"}, changed.Metadata)
	require.Len(t, changed.Content, 3)

	require.True(t, take(c.Beta.Threads.Messages.Delete(t.Context(), thread.ID, made.ID)).intact(c).Deleted)
	_, err := c.Beta.Threads.Messages.Get(t.Context(), thread.ID, made.ID)
	requireOfficialError(t, err, refusal{404, "invalid_request_error", "", "", "No message found with id '" + made.ID + "'."})
}

func TestOfficialClientPages(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	thread := c.thread("1")
	want := []string{"1"}
	for i := 2; i <= 205; i++ {
		text := fmt.Sprint(i)
		want = append(want, text)
		c.say(thread.ID, text)
	}
	list := func(query openai.BetaThreadMessageListParams) *pagination.CursorPage[openai.Message] {
		t.Helper()
		return take(c.Beta.Threads.Messages.List(t.Context(), thread.ID, query)).intact(c)
	}
	const asc, desc = openai.BetaThreadMessageListParamsOrderAsc, openai.BetaThreadMessageListParamsOrderDesc

	newest := list(openai.BetaThreadMessageListParams{})
	require.Equal(t, "205 204 203 202 201 200 199 198 197 196 195 194 193 192 191 190 189 188 187 186", texts(newest.Data))
	require.True(t, newest.HasMore)
	require.Equal(t, "1 2 3", texts(list(openai.BetaThreadMessageListParams{Order: asc, Limit: openai.Int(3)}).Data))
	tenth := newest.Data[9].ID // 196
	require.Equal(t, "195 194", texts(list(openai.BetaThreadMessageListParams{Order: desc, After: openai.String(tenth), Limit: openai.Int(2)}).Data))
	require.Equal(t, "198 197", texts(list(openai.BetaThreadMessageListParams{Order: desc, Before: openai.String(tenth), Limit: openai.Int(2)}).Data))
	require.Equal(t, "197 198", texts(list(openai.BetaThreadMessageListParams{Order: asc, After: openai.String(tenth), Limit: openai.Int(2)}).Data))
	require.Equal(t, "194 195", texts(list(openai.BetaThreadMessageListParams{Order: asc, Before: openai.String(tenth), Limit: openai.Int(2)}).Data))

	for _, query := range []openai.BetaThreadMessageListParams{{Order: asc}, {Order: asc, Limit: openai.Int(100)}, {Order: asc, Limit: openai.Int(41)}} {
		var got []openai.Message
		pages := c.Beta.Threads.Messages.ListAutoPaging(t.Context(), thread.ID, query)
		for pages.Next() {
			got = append(got, pages.Current())
		}
		require.NoError(t, pages.Err())
		require.Equal(t, strings.Join(want, " "), texts(got))
	}

	_, err := c.Beta.Threads.Messages.List(t.Context(), thread.ID, openai.BetaThreadMessageListParams{Limit: openai.Int(101)})
	requireOfficialError(t, err, refusal{400, "invalid_request_error", "integer_above_max_value", "limit",
		"Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead."})
}

func texts(messages []openai.Message) string {
	var all []string
	for _, m := range messages {
		for _, part := range m.Content {
			all = append(all, part.Text.Value)
		}
	}
	return strings.Join(all, " ")
}

func TestOfficialClientPagesAssistants(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	var want, got []string
	for range 7 {
		want = append(want, c.assistant().ID)
	}
	pages := c.Beta.Assistants.ListAutoPaging(t.Context(), openai.BetaAssistantListParams{
		Order: openai.BetaAssistantListParamsOrderAsc, Limit: openai.Int(3),
	})
	for pages.Next() {
		got = append(got, pages.Current().ID)
	}
	require.NoError(t, pages.Err())
	require.Equal(t, want, got)
	page := take(c.Beta.Assistants.List(t.Context(), openai.BetaAssistantListParams{Before: openai.String(want[3]), Limit: openai.Int(2)})).intact(c)
	require.Equal(t, []string{want[5], want[4]}, []string{page.Data[0].ID, page.Data[1].ID})
}

// requireOfficialError holds an error of the client against the refusal.
func requireOfficialError(t *testing.T, err error, want refusal) {
	t.Helper()
	var got *openai.Error
	require.True(t, errors.As(err, &got), "%v", err)
	require.Equal(t, want, refusal{got.StatusCode, got.Type, got.Code, got.Param, got.Message})
}

func TestOfficialClientIsAskedForItsKey(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithAPIKeys("sk-official"))
	newOfficial(t, address).thread("Hello.")

	stranger := newOfficial(t, address, option.WithAPIKey("sk-wrong"))
	_, err := stranger.Beta.Threads.New(t.Context(), openai.BetaThreadNewParams{})
	requireOfficialError(t, err, refusal{401, "invalid_request_error", "invalid_api_key", "",
		"Incorrect API key provided: sk-wrong. You can find your API key at https://platform.openai.com/account/api-keys."})

	stream := stranger.Beta.Threads.NewAndRunStreaming(t.Context(), openai.BetaThreadNewAndRunParams{AssistantID: "asst_1"})
	require.False(t, stream.Next())
	var refused *openai.Error
	require.True(t, errors.As(stream.Err(), &refused), "%v", stream.Err())
	require.Equal(t, http.StatusUnauthorized, refused.StatusCode)
}

// dialects are the addresses under which Azure users find the API, and how they say who they are.
func dialects(address string) map[string][]option.RequestOption {
	noBeta := option.WithHeaderDel("OpenAI-Beta")
	return map[string][]option.RequestOption{
		"Azure OpenAI": {
			azure.WithEndpoint(address, "2024-05-01-preview"), azure.WithAPIKey("az-key"), azure.WithUnsafeAllowHTTP(), noBeta,
		},
		"Azure OpenAI, v1": {
			option.WithBaseURL(address + "/openai/v1/"), option.WithAPIKey("none"), option.WithHeaderDel("Authorization"),
			option.WithHeader("Api-Key", "az-key"), noBeta,
		},
		"Foundry project": {
			option.WithBaseURL(address + "/api/projects/p/"), option.WithAPIKey("az-key"), option.WithQuery("api-version", "v1"), noBeta,
		},
	}
}

func TestOfficialClientSpeaksDialects(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.WithModel(script()), server.WithAPIKeys("az-key"))
	for name, opts := range dialects(address) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := official{openai.NewClient(opts...), t}
			assistant, thread := c.assistant(), c.thread(askCapital)
			run := c.settled(c.start(thread.ID, openai.BetaThreadRunNewParams{AssistantID: assistant.ID}))
			require.Equal(t, openai.RunStatusCompleted, run.Status)
			page := take(c.Beta.Threads.Messages.List(t.Context(), thread.ID, openai.BetaThreadMessageListParams{Limit: openai.Int(1)})).intact(c)
			require.Equal(t, "Paris, of course.", texts(page.Data))
		})
	}
}
