package recording

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("b.jsonl", `{"seq":2,"beta":null,"method":"GET","request_body":null}`+"\n"+
		`{"seq":1,"beta":"v1","method":"POST","request_body":{"a":1.0},"request_headers":{"openai-beta":"x"},"status":200,"more":1}`+"\n")
	write("a.jsonl", `{"request_body_not_recorded":true}`)
	write("INDEX.tsv", "no recording")

	files, err := ReadFolder(folder)
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, "a.jsonl", files[0].Name)
	assert.False(t, files[0].Exchanges[0].KnowsBody())
	require.Len(t, files[1].Exchanges, 2)
	first, second := files[1].Exchanges[0], files[1].Exchanges[1]
	assert.Equal(t, "v1", first.Beta)
	assert.Equal(t, `{"a":1.0}`, string(first.RequestBody))
	assert.Equal(t, "x", first.RequestHeader("OpenAI-Beta"))
	assert.True(t, first.HasBody() && first.KnowsBody())
	assert.Equal(t, "", second.Beta)
	assert.False(t, second.HasBody())
	assert.True(t, second.KnowsBody())
}

func TestReadFolderRefusesWhatIsNoRecording(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, err := ReadFolder(folder)
	assert.ErrorContains(t, err, "no .jsonl file")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "cut.jsonl"), []byte(`{"seq":1}`+"\n"+`{"seq":`), 0o600))
	_, err = ReadFolder(folder)
	assert.ErrorContains(t, err, "cut.jsonl, exchange 2")
}

func TestForms(t *testing.T) {
	t.Parallel()
	e := &Exchange{RequestBody: []byte(`{"multipart_fields":[{"name":"purpose","text":"vision"},` +
		`{"name":"file","filename":"a.png","raw_base64":"AAE=","size":2,"sha256":"b413f47d13ee2fe6c845b2ee141af81de858df4ec549a58b7970bb96645bc8d2"}]}`)}
	form := e.Form()
	require.Len(t, form, 2)
	assert.True(t, e.HasBody() && e.KnowsBody() && e.KnowsFiles())
	content, ok := form[1].Content()
	assert.True(t, ok)
	assert.Equal(t, "\x00\x01", string(content))
	assert.Empty(t, form[0].Differs([]byte("vision")))
	assert.NotEmpty(t, form[0].Differs([]byte("")))
	assert.Empty(t, form[1].Differs(content))
	assert.NotEmpty(t, form[1].Differs([]byte("\x00\x02")))
	form[1].SHA256 = "0"
	assert.Contains(t, form[1].Differs(content), "checksum")

	unknown := &Exchange{RequestBody: []byte(`{"multipart_fields":[{"name":"file","size":3,"sha256":"0"}]}`)}
	assert.False(t, unknown.KnowsFiles())
	content, ok = unknown.Form()[0].Content()
	assert.False(t, ok)
	assert.Len(t, content, 3)
	assert.Empty(t, unknown.Form()[0].Differs([]byte("abc")))
	assert.NotEmpty(t, unknown.Form()[0].Differs([]byte("ab")))

	assert.Nil(t, (&Exchange{RequestBody: []byte(`{"a":1}`)}).Form())
	assert.Nil(t, (&Exchange{}).Form())
	assert.False(t, (&Exchange{Method: "POST", Path: "/v1/uploads"}).KnowsBody(), "a body that was lost")
}
