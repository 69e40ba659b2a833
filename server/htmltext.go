package server

import (
	"context"
	"html"
	"strings"
	"unicode/utf8"
)

// This file reads HTML as far as finding its text needs: tags, comments and attributes by the rules of browsers, but
// no tree. Every byte is looked at a bounded number of times, and the text is hardly ever longer than the page.

// beginsHTML tells whether a text is a page: the first that is not white space, a comment or a processing instruction
// is a doctype or tag of HTML.
func beginsHTML(text string) bool {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f")
		var found bool
		switch {
		case strings.HasPrefix(text, "<!--"):
			_, text, found = strings.Cut(text, "-->")
		case strings.HasPrefix(text, "<?"):
			_, text, found = strings.Cut(text, ">")
		default:
			return hasPrefixFold(text, "<!doctype html") || hasPrefixFold(text, "<html>") || hasPrefixFold(text, "<html ")
		}
		if !found {
			return false
		}
	}
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// htmlText returns the readable text of a page, or of as much as it came to before ctx ended.
func htmlText(ctx context.Context, page string) string {
	p := pageText{}
	for page != "" && ctx.Err() == nil {
		// What is between two looks at the context: markup and texts that together are about so long.
		for goal := len(page) - maxPiece; page != "" && len(page) > goal; {
			n := strings.IndexByte(page, '<')
			switch {
			case n == 0:
				page = p.markup(page)
			case n > 0:
				p.texts(ctx, page[:n])
				page = page[n:]
			default:
				p.texts(ctx, page)
				page = ""
			}
		}
	}
	return strings.TrimRight(p.out.String(), " \t\n")
}

// maxPiece is how much text is decoded at once, in bytes, and how often it is looked whether that is still wanted.
const maxPiece = 64 << 10

// texts adds a text of any length. It is not divided inside of an entity, since all of them begin with an ampersand.
func (p *pageText) texts(ctx context.Context, text string) {
	for ctx.Err() == nil && len(text) > maxPiece {
		n := strings.IndexByte(text[maxPiece:], '&')
		if n < 0 {
			break
		}
		p.text(text[:maxPiece+n])
		text = text[maxPiece+n:]
	}
	p.text(text)
}

// A gap is what is between two texts, from the least to the most.
type gap int

const (
	gapNone gap = iota
	gapSpace
	gapCell      // of a table
	gapLine      // a line's end
	gapParagraph // an empty line
)

// pageText is the text of a page up to a place in it.
type pageText struct {
	out strings.Builder
	gap gap // before the next text
	pre int // elements that are open in which white space counts
}

func (p *pageText) widen(g gap) { p.gap = max(p.gap, g) }

// text adds text between tags.
func (p *pageText) text(source string) {
	text := strings.ReplaceAll(html.UnescapeString(source), "\u00ad", "") // soft hyphens divide words
	if p.pre > 0 {
		p.verbatim(text)
		return
	}
	for text != "" {
		n := strings.IndexFunc(text, isHTMLSpace)
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			p.separate()
			p.out.WriteString(text[:n])
			text = text[n:]
			continue
		}
		p.widen(gapSpace)
		_, width := utf8.DecodeRuneInString(text)
		text = text[width:]
	}
}

func isHTMLSpace(r rune) bool {
	return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' || r == '\u00a0'
}

// verbatim adds text in which white space counts.
func (p *pageText) verbatim(text string) {
	if p.gap >= gapLine {
		text = strings.TrimLeft(text, "\n")
	}
	if text != "" {
		p.separate()
		p.out.WriteString(text)
	}
}

// separate writes the gap before a text.
func (p *pageText) separate() {
	written, gap := p.out.String(), p.gap
	p.gap = gapNone
	if written == "" {
		return
	}
	atLine := written[len(written)-1] == '\n' // the end of a verbatim text
	switch {
	case gap == gapSpace && !atLine:
		p.out.WriteByte(' ')
	case gap == gapCell && !atLine:
		p.out.WriteByte('\t')
	case gap == gapLine && !atLine:
		p.out.WriteByte('\n')
	case gap == gapParagraph && !atLine:
		p.out.WriteString("\n\n")
	case gap == gapParagraph && !strings.HasSuffix(written, "\n\n"):
		p.out.WriteByte('\n')
	}
}

// markup reads what a "<" begins, and returns the rest of the page. What is left open reaches to the end of the page.
func (p *pageText) markup(page string) (rest string) {
	switch {
	case strings.HasPrefix(page, "<!-->"), strings.HasPrefix(page, "<!--->"):
		_, rest, _ = strings.Cut(page, ">")
	case strings.HasPrefix(page, "<!--"):
		_, rest, _ = strings.Cut(page[len("<!--"):], "-->")
	case len(page) > 1 && isASCIILetter(page[1]):
		return p.openTag(page)
	case len(page) > 2 && page[1] == '/' && isASCIILetter(page[2]):
		tag, rest := readTag(page[len("</"):])
		p.closeTag(tag.name)
		return rest
	case len(page) > 1 && (page[1] == '!' || page[1] == '?' || page[1] == '/'): // a doctype, or nonsense
		_, rest, _ = strings.Cut(page, ">")
	default:
		p.text("<")
		return page[1:]
	}
	return rest
}

func (p *pageText) openTag(page string) (rest string) {
	tag, rest := readTag(page[len("<"):])
	p.widen(gapOf(tag.name))
	switch tag.name {
	case "script", "style", "iframe", "noembed", "noframes":
		return afterRaw(rest, tag.name)
	case "pre", "textarea", "listing":
		p.pre++
	case "img", "area", "input":
		if tag.alt != "" {
			p.widen(gapSpace)
			p.text(tag.alt)
			p.widen(gapSpace)
		}
	}
	return rest
}

func (p *pageText) closeTag(name string) {
	switch name {
	case "pre", "textarea", "listing":
		p.pre = max(p.pre-1, 0)
	}
	if name != "br" && name != "td" && name != "th" {
		p.widen(gapOf(name))
	}
}

// gapOf is what an element has before and behind it.
func gapOf(name string) gap {
	switch name {
	case "td", "th":
		return gapCell
	case "body", "br", "button", "caption", "center", "dd", "dir", "div", "dl", "dt", "figcaption", "head", "html",
		"label", "legend", "li", "menu", "ol", "optgroup", "option", "select", "summary", "tbody", "tfoot", "thead", "tr", "ul":
		return gapLine
	case "address", "article", "aside", "blockquote", "details", "dialog", "fieldset", "figure", "footer", "form",
		"h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "listing", "main", "nav", "p", "pre", "search", "section",
		"table", "textarea", "title":
		return gapParagraph
	default:
		return gapNone
	}
}

// afterRaw is what follows an element whose content is no text and has no tags in it.
func afterRaw(page, name string) string {
	for {
		i := strings.Index(page, "</")
		if i < 0 {
			return ""
		}
		page = page[i+len("</"):]
		if hasPrefixFold(page, name) && (len(page) == len(name) || !isASCIILetter(page[len(name)])) {
			_, rest := readTag(page)
			return rest
		}
	}
}

// A tag is what there is to know of one.
type tag struct {
	name string // in lower case
	alt  string // as it is written
}

const (
	tagSpace   = " \t\r\n\f"
	endsName   = tagSpace + "/>"
	endsAttr   = endsName + "="
	endsBare   = tagSpace + ">"
	betweenTag = tagSpace + "/"
)

// readTag reads a tag from its name on. One without an end reaches to the end of the page.
func readTag(page string) (t tag, rest string) {
	name, page := cutAny(page, endsName)
	t.name = strings.ToLower(name)
	for {
		page = strings.TrimLeft(page, betweenTag)
		if page == "" {
			return t, ""
		}
		if page[0] == '>' {
			return t, page[1:]
		}
		var value string
		first := page[:1] // an equals sign here belongs to the name
		name, page = cutAny(page[1:], endsAttr)
		name = first + name
		if page = strings.TrimLeft(page, tagSpace); strings.HasPrefix(page, "=") {
			value, page = readValue(strings.TrimLeft(page[1:], tagSpace))
		}
		if t.alt == "" && strings.EqualFold(name, "alt") {
			t.alt = value
		}
	}
}

// readValue reads the value of an attribute. A quote that is never closed, which can happen once for each of the two
// kinds, is a part of the value.
func readValue(page string) (value, rest string) {
	if page != "" && (page[0] == '"' || page[0] == '\'') {
		if value, rest, ok := strings.Cut(page[1:], page[:1]); ok {
			return value, rest
		}
	}
	return cutAny(page, endsBare)
}

// cutAny cuts a text before the first of some characters.
func cutAny(text, chars string) (before, rest string) {
	i := strings.IndexAny(text, chars)
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i:]
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
