package server

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// This file is the stand-in's mathematics: sums, and equations of the first degree with one unknown. Numbers are exact.

// Limits of what it works out.
const (
	maxSumBytes = 200
	maxSumBits  = 4096 // of a number on the way
	maxExponent = 4096
)

// solution is what the stand-in makes of a sum: code in Python, what that prints, and words.
type solution struct{ code, logs, text string }

// solve finds a sum or an equation in a question, and reports whether it can be worked out.
func solve(question string) (solution, bool) {
	for _, text := range sumsIn(question) {
		left, right, equation := strings.Cut(text, "=")
		if found, ok := solveEquation(left, right); equation && ok {
			return found, true
		}
		if found, ok := workOut(left); !equation && ok {
			return found, true
		}
	}
	return solution{}, false
}

// signs are the ways to write an operator.
var signs = strings.NewReplacer("×", "*", "·", "*", "÷", "/", "−", "-", "**", "^", "`", " ",
	" plus ", " + ", " minus ", " - ", " times ", " * ", " multiplied by ", " * ", " divided by ", " / ",
	" to the power of ", " ^ ")

// sumsIn returns the parts of a question that have nothing but numbers, operators and single letters.
func sumsIn(question string) []string {
	var sums, run []string
	end := func() {
		text := strings.TrimRight(strings.Join(run, " "), " =") // 2 + 2 =
		if text != "" && len(text) <= maxSumBytes {
			sums = append(sums, text)
		}
		run = nil
	}
	for _, word := range strings.Fields(signs.Replace(strings.ToLower(question))) {
		sum := strings.TrimRight(word, "?!.,;:")
		if !isSum(sum) {
			end()
			continue
		}
		if run = append(run, sum); sum != word {
			end()
		}
	}
	end()
	return sums
}

// isSum tells whether a word may be a part of a sum. The words "a" and "i" are not.
func isSum(word string) bool {
	letters := 0
	for _, r := range word {
		switch {
		case r >= 'a' && r <= 'z':
			letters++
		case strings.ContainsRune("0123456789.+-*/^()=", r):
			letters = 0
		default:
			return false
		}
		if letters > 1 {
			return false
		}
	}
	return word != "" && word != "a" && word != "i"
}

func workOut(text string) (solution, bool) {
	exact := strings.ContainsAny(text, "/.")
	p := sumParser{text: text, exact: exact}
	value, ok := p.parse()
	if !ok || p.unknown != 0 || p.operators == 0 {
		return solution{}, false
	}
	s := solution{
		code: "print(" + p.python.String() + ")\n", logs: value.b.RatString() + "\n",
		text: "The result is " + spell(value.b) + ".",
	}
	if exact {
		s.code = "from fractions import Fraction\n\n" + s.code
	}
	return s, true
}

// equationCode solves an equation for a name, once it has become a factor times the name and a rest.
const equationCode = `from fractions import Fraction

# %s is %[3]s*%[2]s = %[4]s
%[2]s = Fraction(%[4]q) / Fraction(%[3]q)
print("%[2]s =", %[2]s)
`

func solveEquation(left, right string) (solution, bool) {
	l := sumParser{text: left}
	a, ok := l.parse()
	if !ok {
		return solution{}, false
	}
	r := sumParser{text: right, unknown: l.unknown}
	b, ok := r.parse()
	if !ok {
		return solution{}, false
	}
	factor, rest := new(big.Rat).Sub(a.a, b.a), new(big.Rat).Sub(b.b, a.b)
	if factor.Sign() == 0 || r.unknown == 0 {
		return solution{}, false
	}
	name, x := string(r.unknown), new(big.Rat).Quo(rest, factor)
	equation := strings.TrimSpace(left) + " = " + strings.TrimSpace(right)
	return solution{
		code: fmt.Sprintf(equationCode, equation, name, factor.RatString(), rest.RatString()),
		logs: name + " = " + x.RatString() + "\n",
		text: "The solution of " + equation + " is " + name + " = " + spell(x) + ".",
	}, true
}

// spell writes a number for people.
func spell(n *big.Rat) string {
	if n.IsInt() {
		return n.RatString()
	}
	about, _ := n.Float64()
	return n.RatString() + ", about " + strconv.FormatFloat(about, 'g', 6, 64)
}

// linear is a·x + b.
type linear struct{ a, b *big.Rat }

func constant(n *big.Rat) linear { return linear{new(big.Rat), n} }

// sumParser reads a sum and writes it as Python does.
//
//	sum     = product { ("+" | "-") product }
//	product = power { ("*" | "/" | nothing in front of a letter or a parenthesis) power }
//	power   = "-" power | atom [ "^" power ]
//	atom    = number | letter | "(" sum ")"
type sumParser struct {
	text      string
	unknown   byte // the letter; 0: none yet
	operators int
	python    strings.Builder
	exact     bool // Python is to reckon with fractions
	failed    bool
}

// parse reads all of the text, and reports whether it could be read and worked out.
func (p *sumParser) parse() (linear, bool) {
	value := p.sum()
	return value, !p.failed && p.peek() == 0
}

// peek returns the next character that is not a space; 0 at the end, and behind a mistake.
func (p *sumParser) peek() byte {
	p.text = strings.TrimLeft(p.text, " ")
	if p.failed || p.text == "" {
		return 0
	}
	return p.text[0]
}

// take moves behind the next character.
func (p *sumParser) take(python string) {
	p.text = p.text[1:]
	p.python.WriteString(python)
}

// fail ends the reading.
func (p *sumParser) fail() linear {
	p.failed = true
	return constant(new(big.Rat))
}

func (p *sumParser) sum() linear {
	value := p.product()
	for {
		sign := p.peek()
		if sign != '+' && sign != '-' {
			return value
		}
		p.operators++
		p.take(" " + string(sign) + " ")
		next := p.product()
		if sign == '-' {
			next = scaled(next, big.NewRat(-1, 1))
		}
		value = p.bounded(linear{new(big.Rat).Add(value.a, next.a), new(big.Rat).Add(value.b, next.b)})
	}
}

func (p *sumParser) product() linear {
	value := p.power()
	for {
		switch c := p.peek(); {
		case c == '*' || c == '/':
			p.operators++
			p.take(" " + string(c) + " ")
			value = p.multiplied(value, p.power(), c == '/')
		case c == '(' || c >= 'a' && c <= 'z':
			p.operators++
			p.python.WriteString(" * ")
			value = p.multiplied(value, p.power(), false)
		default:
			return value
		}
	}
}

// multiplied is a product or a quotient, as long as that is linear.
func (p *sumParser) multiplied(x, y linear, divided bool) linear {
	switch {
	case divided && (y.a.Sign() != 0 || y.b.Sign() == 0):
		return p.fail()
	case divided:
		return p.bounded(scaled(x, new(big.Rat).Inv(y.b)))
	case y.a.Sign() == 0:
		return p.bounded(scaled(x, y.b))
	case x.a.Sign() == 0:
		return p.bounded(scaled(y, x.b))
	}
	return p.fail()
}

func (p *sumParser) power() linear {
	if p.peek() == '-' {
		p.take("-")
		return scaled(p.power(), big.NewRat(-1, 1))
	}
	base := p.atom()
	if p.peek() != '^' {
		return base
	}
	p.operators++
	p.take("**")
	exponent := p.power()
	return p.raised(base, exponent)
}

// raised is a power of a number with a small exponent.
func (p *sumParser) raised(base, exponent linear) linear {
	top, bottom, n := base.b.Num(), base.b.Denom(), exponent.b.Num()
	if base.a.Sign() != 0 || exponent.a.Sign() != 0 || !exponent.b.IsInt() || n.Sign() < 0 ||
		n.Cmp(big.NewInt(maxExponent)) > 0 || int(n.Int64())*(top.BitLen()+bottom.BitLen()) > 2*maxSumBits {
		return p.fail()
	}
	return p.bounded(constant(new(big.Rat).SetFrac(new(big.Int).Exp(top, n, nil), new(big.Int).Exp(bottom, n, nil))))
}

func (p *sumParser) atom() linear {
	switch c := p.peek(); {
	case c == '(':
		p.take("(")
		value := p.sum()
		if p.peek() != ')' {
			return p.fail()
		}
		p.take(")")
		return value
	case c >= 'a' && c <= 'z' && (p.unknown == 0 || p.unknown == c):
		p.unknown = c
		p.take(string(c))
		return linear{big.NewRat(1, 1), new(big.Rat)}
	case c >= '0' && c <= '9':
		return p.number()
	}
	return p.fail()
}

func (p *sumParser) number() linear {
	rest := strings.TrimLeftFunc(p.text, func(r rune) bool { return unicode.IsDigit(r) || r == '.' })
	digits := p.text[:len(p.text)-len(rest)]
	value, ok := new(big.Rat).SetString(digits)
	zeros := len(digits) > 1 && digits[0] == '0' && digits[1] != '.' // no number in Python; more likely a date
	if !ok || zeros {
		return p.fail()
	}
	p.text = rest
	if p.exact {
		digits = `Fraction("` + digits + `")`
	}
	p.python.WriteString(digits)
	return constant(value)
}

// bounded gives up on numbers that grow too long.
func (p *sumParser) bounded(x linear) linear {
	for _, n := range []*big.Rat{x.a, x.b} {
		if n.Num().BitLen() > maxSumBits || n.Denom().BitLen() > maxSumBits {
			return p.fail()
		}
	}
	return x
}

func scaled(x linear, by *big.Rat) linear {
	return linear{new(big.Rat).Mul(x.a, by), new(big.Rat).Mul(x.b, by)}
}
