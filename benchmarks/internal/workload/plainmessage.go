package workload

type plainMessagePage struct {
	Object  string          `json:"object"`
	Data    []*plainMessage `json:"data"`
	FirstID string          `json:"first_id"`
	LastID  string          `json:"last_id"`
	HasMore bool            `json:"has_more"`
}

type plainMessage struct {
	ID                string                  `json:"id"`
	Object            string                  `json:"object"`
	CreatedAt         int64                   `json:"created_at"`
	ThreadID          string                  `json:"thread_id"`
	Status            string                  `json:"status"`
	IncompleteDetails *plainIncompleteDetails `json:"incomplete_details"`
	CompletedAt       int64                   `json:"completed_at"`
	IncompleteAt      int64                   `json:"incomplete_at"`
	Role              string                  `json:"role"`
	Content           []plainContentPart      `json:"content"`
	AssistantID       string                  `json:"assistant_id"`
	RunID             string                  `json:"run_id"`
	Attachments       []plainAttachment       `json:"attachments"`
	Metadata          map[string]string       `json:"metadata"`
	FileIDs           []string                `json:"file_ids"`
}

type plainAttachment struct {
	FileID string                `json:"file_id"`
	Tools  []plainAttachmentTool `json:"tools"`
}

type plainAttachmentTool struct {
	Type string `json:"type"`
}

type plainContentPart struct {
	Type      string          `json:"type"`
	Text      *plainText      `json:"text"`
	ImageFile *plainImageFile `json:"image_file"`
	ImageURL  *plainImageURL  `json:"image_url"`
	Refusal   string          `json:"refusal"`
}

type plainText struct {
	Value       string            `json:"value"`
	Annotations []plainAnnotation `json:"annotations"`
}

type plainAnnotation struct {
	Type         string             `json:"type"`
	Text         string             `json:"text"`
	StartIndex   int                `json:"start_index"`
	EndIndex     int                `json:"end_index"`
	FileCitation *plainFileCitation `json:"file_citation"`
	FilePath     *plainFilePath     `json:"file_path"`
	URLCitation  *plainURLCitation  `json:"url_citation"`
}

type plainFileCitation struct {
	FileID string `json:"file_id"`
	Quote  string `json:"quote"`
}

type plainFilePath struct {
	FileID string `json:"file_id"`
}

type plainURLCitation struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

type plainImageFile struct {
	FileID string `json:"file_id"`
	Detail string `json:"detail"`
}

type plainImageURL struct {
	URL    string `json:"url"`
	Detail string `json:"detail"`
}

type plainMessageDelta struct {
	ID     string                   `json:"id"`
	Object string                   `json:"object"`
	Delta  plainMessageDeltaDetails `json:"delta"`
}

type plainMessageDeltaDetails struct {
	Role    string                  `json:"role"`
	Content []plainContentPartDelta `json:"content"`
	FileIDs []string                `json:"file_ids"`
}

type plainContentPartDelta struct {
	Index     int             `json:"index"`
	Type      string          `json:"type"`
	Text      *plainTextDelta `json:"text"`
	ImageFile *plainImageFile `json:"image_file"`
	ImageURL  *plainImageURL  `json:"image_url"`
	Refusal   string          `json:"refusal"`
}

type plainTextDelta struct {
	Value       string                 `json:"value"`
	Annotations []plainAnnotationDelta `json:"annotations"`
}

type plainAnnotationDelta struct {
	Index int `json:"index"`
	plainAnnotation
}

func plainMessageSight(m *plainMessage) Sight {
	return Sight{
		ID:        m.ID,
		Object:    m.Object,
		CreatedAt: m.CreatedAt,
		Thread:    m.ThreadID,
		Assistant: m.AssistantID,
		Run:       m.RunID,
		Role:      m.Role,
		Text:      words(m.Content, func(p plainContentPart) string { return p.Text.Value }),
		Citations: words(m.Content, func(p plainContentPart) string {
			return words(p.Text.Annotations, func(a plainAnnotation) string {
				return citation(a.Text, int64(a.StartIndex), int64(a.EndIndex), a.FileCitation.FileID)
			})
		}),
		Attachments: words(m.Attachments, func(a plainAttachment) string {
			return attachment(a.FileID, words(a.Tools, func(t plainAttachmentTool) string { return t.Type }))
		}),
		Metadata: m.Metadata,
	}
}
