package replay

import "github.com/assistants-go/assistants"

// answerByField is byField for answers about files and vector stores.
func answerByField(answer any) any {
	switch a := answer.(type) {
	case *assistants.File:
		return fileByField(a)
	case *assistants.Page[assistants.File]:
		return pageByField(a, fileByField)
	case *assistants.Upload:
		return uploadByField(a)
	case *assistants.UploadPart:
		return fields{"id": a.ID, "object": a.Object, "created_at": a.CreatedAt, "upload_id": a.UploadID}
	case *assistants.VectorStore:
		return storeByField(a)
	case *assistants.Page[assistants.VectorStore]:
		return pageByField(a, storeByField)
	case *assistants.VectorStoreSearchResults:
		return searchByField(a)
	case *assistants.VectorStoreFile:
		return storeFileByField(a)
	case *assistants.Page[assistants.VectorStoreFile]:
		return pageByField(a, storeFileByField)
	case *assistants.VectorStoreFileContent:
		return fields{"object": a.Object, "data": contentByField(a.Data), "has_more": a.HasMore, "next_page": a.NextPage}
	case *assistants.FileBatch:
		return batchByField(a)
	case *assistants.AssistantFile:
		return assistantFileByField(a)
	case *assistants.Page[assistants.AssistantFile]:
		return pageByField(a, assistantFileByField)
	case *assistants.MessageFile:
		return messageFileByField(a)
	case *assistants.Page[assistants.MessageFile]:
		return pageByField(a, messageFileByField)
	}
	return nil
}

func fileByField(f *assistants.File) fields {
	return fields{
		"id":         f.ID,
		"object":     f.Object,
		"bytes":      f.Bytes,
		"created_at": f.CreatedAt,
		"expires_at": f.ExpiresAt,
		"filename":   f.Filename,
		"purpose":    f.Purpose,
		"status":     f.Status,
	}.unlessZero(fields{"status_details": f.StatusDetails})
}

func uploadByField(u *assistants.Upload) fields {
	all := fields{
		"id":         u.ID,
		"object":     u.Object,
		"bytes":      u.Bytes,
		"created_at": u.CreatedAt,
		"expires_at": u.ExpiresAt,
		"filename":   u.Filename,
		"purpose":    u.Purpose,
		"status":     u.Status,
	}
	if u.File != nil {
		all["file"] = fileByField(u.File)
	}
	return all
}

func storeByField(s *assistants.VectorStore) fields {
	return fields{
		"id":             s.ID,
		"object":         s.Object,
		"created_at":     s.CreatedAt,
		"name":           s.Name,
		"description":    s.Description,
		"usage_bytes":    s.UsageBytes,
		"file_counts":    countsByField(s.FileCounts),
		"status":         s.Status,
		"expires_after":  s.ExpiresAfter,
		"expires_at":     s.ExpiresAt,
		"last_active_at": s.LastActiveAt,
		"metadata":       s.Metadata,
	}
}

func countsByField(c assistants.FileCounts) fields {
	return fields{
		"in_progress": c.InProgress,
		"completed":   c.Completed,
		"failed":      c.Failed,
		"cancelled":   c.Cancelled,
		"total":       c.Total,
	}
}

func storeFileByField(f *assistants.VectorStoreFile) fields {
	return fields{
		"id":                f.ID,
		"object":            f.Object,
		"usage_bytes":       f.UsageBytes,
		"created_at":        f.CreatedAt,
		"vector_store_id":   f.VectorStoreID,
		"status":            f.Status,
		"last_error":        f.LastError,
		"chunking_strategy": f.ChunkingStrategy,
		"attributes":        f.Attributes,
	}
}

func batchByField(b *assistants.FileBatch) fields {
	return fields{
		"id":              b.ID,
		"object":          b.Object,
		"created_at":      b.CreatedAt,
		"vector_store_id": b.VectorStoreID,
		"status":          b.Status,
		"file_counts":     countsByField(b.FileCounts),
	}
}

func searchByField(r *assistants.VectorStoreSearchResults) fields {
	data := make([]any, len(r.Data))
	for i := range r.Data {
		found := &r.Data[i]
		data[i] = fields{
			"file_id":    found.FileID,
			"filename":   found.Filename,
			"score":      found.Score,
			"attributes": found.Attributes,
			"content":    contentByField(found.Content),
		}
	}
	return fields{
		"object":       r.Object,
		"search_query": r.SearchQuery,
		"data":         data,
		"has_more":     r.HasMore,
		"next_page":    r.NextPage,
	}
}

func contentByField(content []assistants.FileSearchContent) any {
	if content == nil {
		return nil
	}
	parts := make([]fields, len(content))
	for i, c := range content {
		parts[i] = fields{"type": c.Type, "text": c.Text}
	}
	return parts
}

func assistantFileByField(f *assistants.AssistantFile) fields {
	return fields{"id": f.ID, "object": f.Object, "created_at": f.CreatedAt, "assistant_id": f.AssistantID}
}

func messageFileByField(f *assistants.MessageFile) fields {
	return fields{"id": f.ID, "object": f.Object, "created_at": f.CreatedAt, "message_id": f.MessageID}
}
