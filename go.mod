module github.com/assistants-go/assistants

go 1.26

require github.com/google/go-querystring v1.2.0

require (
	github.com/jarcoal/httpmock v1.4.2 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
)
