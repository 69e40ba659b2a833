package provider

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants/server"
)

// Images are the images of a conversation, as they are sent to a model that does not have our files: as data URLs. They have a
// limit together; the zero Images has it whole. It is not safe for concurrent use.
type Images struct{ sent int }

// maxImages bounds the images of one call of a model, in bytes.
const maxImages = 20 << 20

// DataURL returns an image as a URL that holds it. Note is a sentence for the model in its place if there is no image, since it
// has been deleted, is none, or is too large together with the others.
func (i *Images) DataURL(ctx context.Context, call *server.ModelCall, fileID string) (url, note string, err error) {
	file, content, err := call.OpenFile(ctx, fileID)
	if err != nil {
		if ctx.Err() != nil {
			return "", "", err
		}
		return "", "[An image that is not available any more]", nil
	}
	defer content.Close()
	data, err := io.ReadAll(io.LimitReader(content, int64(maxImages-i.sent)+1))
	if err != nil {
		return "", "", err
	}
	kind := http.DetectContentType(data)
	switch {
	case i.sent+len(data) > maxImages:
		return "", fmt.Sprintf("[An image that is too large to be shown: %s]", file.Filename), nil
	case !strings.HasPrefix(kind, "image/"):
		return "", fmt.Sprintf("[A file that is no image: %s]", file.Filename), nil
	}
	i.sent += len(data)
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data), "", nil
}
