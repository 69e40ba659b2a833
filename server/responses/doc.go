// Package responses is a model for package server that asks a provider by its Responses API: OpenAI, Azure OpenAI, or any
// server that has POST /responses.
//
//	provider, err := assistants.NewClient() // OPENAI_API_KEY
//	…
//	handler := server.New(server.WithModel(responses.New(provider)))
//
// Functions, file search and the code interpreter work, the latter two in the provider's hands: files and vector stores that
// they need are copied there when they are first used, and files that code makes are fetched. A thread's code runs in one
// container as long as the provider keeps it. Nothing else is kept by the provider: each call tells the whole conversation, and
// inside a run also what the provider itself has said, with its reasoning, encrypted.
//
// What the provider streams is passed on as it comes, items that it mixes one after the other; parts of one message are not told
// apart. Text and calls of hosted tools that come behind calls of functions are passed on when the functions have been answered:
// a run that waits for outputs ends with the calls. Citations have the marks that the Assistants API had; their numbers are made
// here. Not passed on are reasoning, citations of pages in the web, and tools that the Assistants API did not have.
package responses
