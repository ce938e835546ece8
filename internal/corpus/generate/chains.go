package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// chainFamily are ID tokens whose key comes from x5c.
func (k keyring) chainFamily(p pki) family {
	f := idTokenFamily()
	f.header = object{"alg": "RS256", "typ": "JWT", "x5c": x5c(p.rsa, p.sub, p.root)}
	f.claims = with(f.claims, "iss", party)
	f.fields = append(f.fields, "issuer: "+party, "anchors: anchor-root.pem")
	return f
}

// chained makes a case whose x5c is a chain; the first certificate's key signs,
// or that of signer.
func chained(name, expect, about string, signer string, chain ...holder) token {
	return token{name: "x5c " + name, expect: expect, about: about, key: signer, header: []any{"x5c", x5c(chain...)}}
}

// ec returns the case with ES256 in the place of RS256.
func (t token) ec() token {
	t.header = append(t.header, "alg", "ES256")
	t.fields = append(t.fields, "algorithms: ES256")
	return t
}

func (t token) with(fields ...string) token {
	t.fields = append(t.fields, fields...)
	return t
}

// chainCases are T06 where x5c is the source of keys.
func chainCases(k keyring, c *collection) {
	p := k.pki()
	f := k.chainFamily(p)
	c.files["keys/anchor-root.pem"] = p.root.pem()
	c.files["keys/anchor-sub.pem"] = p.sub.pem()
	evilRoot := issue(nil, "root", k["ec-2"], authority)
	evilSub := issue(&evilRoot, "sub", k["ec-2"], authority)
	evil := issue(&evilSub, "leaf", k["rsa-2"], names(organization, ""))
	f.add(k, c, "T06",
		token{name: "x5c", about: "the whole chain, signed by the first certificate"},
		chained("ES256", "ok", "the same with an EC certificate", "ec-1", p.ec, p.sub, p.root).ec(),
		chained("without root", "ok", "the root is not in the chain", "", p.rsa, p.sub),
		chained("root before sub", "ok", "the certificates behind the first are in another order", "", p.rsa, p.root, p.sub),
		chained("with a stranger behind", "ok", "a certificate that belongs to no path is behind", "", p.rsa, p.sub, p.root, evil),
		chained("below an anchored sub", "ok", "the anchor is the authority, not the root", "", p.rsa).with("anchors: anchor-sub.pem"),
		chained("victim and attacker", "signature", "signed by the second certificate, which is the attacker's; the first is a victim's", "rsa-2", p.rsa, evil),
		chained("victim, chain and attacker", "signature", "signed by the last certificate, which is the attacker's", "rsa-2", p.rsa, p.sub, p.root, evil),
		chained("of a victim", "signature", "the chain of a victim, signed by the attacker", "rsa-2", p.rsa, p.sub, p.root),
		chained("signed by the CA", "signature", "signed by the authority in the chain", "sub", p.ec, p.sub, p.root).ec(),
		chained("attacker and trusted root", "key", "the attacker's own chain, and the trusted root behind it", "rsa-2", evil, evilSub, p.root),
		chained("attacker and own root and trusted root", "key", "the attacker's whole chain, and the trusted root behind it", "rsa-2", evil, evilSub, evilRoot, p.root),
		chained("attacker and trusted chain", "key", "the attacker's certificate in the place of the victim's", "rsa-2", evil, p.sub, p.root),
		chained("attacker and own root", "key", "the attacker's whole chain", "rsa-2", evil, evilSub, evilRoot),
		chained("attacker alone", "key", "the attacker's certificate alone", "rsa-2", evil),
		chained("self-signed", "key", "a self-signed certificate", "rsa-2", issue(nil, "self", k["rsa-2"], names(organization, ""))),
		chained("issued by a leaf", "key", "issued by the party's own certificate, which is no authority's", "rsa-2", issue(&p.ec, "below", k["rsa-2"], names(organization, "")), p.ec, p.sub, p.root),
		chained("root alone", "key", "the root itself signs", "root", p.root).ec(),
		chained("sub alone", "key", "the authority itself signs", "sub", p.sub, p.root).ec(),
		chained("chain turned", "key", "the root is the first", "", p.root, p.sub, p.rsa),
		chained("sub missing", "key", "the authority between is missing", "", p.rsa, p.root),
		chained("empty", "key", "x5c is an empty array", ""),
	)
	f.x5cValues(k, c, p)
	f.boundCases(k, c, p)
	f.leafCases(k, c, p)
	f.pathCases(k, c, p)
}

// x5cValues are texts of x5c that are no chain, and header members beside it.
func (f family) x5cValues(k keyring, c *collection, p pki) {
	good := x5c(p.rsa, p.sub, p.root)
	block := func(h holder) string { return toBase64(h.pem()) }
	replaced := func(i int, entry string) []string {
		entries := append([]string{}, good...)
		entries[i] = entry
		return entries
	}
	der := string(p.rsa.cert.Raw)
	for name, value := range map[string]any{
		"a string": good[0], "null": nil, "missing": gone{}, "number": 1, "object": object{"0": good[0]}, "numbers": []int{1}, "nested": []any{good}, "number behind": []any{good[0], 1}, "null behind": []any{good[0], good[1], nil},
		"empty string": []string{""}, "line break": replaced(0, good[0][:64]+"\n"+good[0][64:]), "base64url": replaced(0, strings.NewReplacer("+", "-", "/", "_").Replace(good[0])+"-"), "no padding": replaced(0, strings.TrimRight(good[0], "=")+"A"),
		"blank": replaced(0, " "+good[0]), "PEM first": replaced(0, block(p.rsa)), "PEM text": replaced(0, p.rsa.pem()), "PEM behind not tolerated": replaced(1, block(p.sub)), "text behind DER": replaced(0, toBase64(der+"\x00")),
		"DER cut": replaced(0, toBase64(der[:len(der)-1])), "two in one": replaced(0, toBase64(der+string(p.sub.cert.Raw))), "a key": replaced(0, toBase64(string(must(x509.MarshalPKIXPublicKey(k["rsa-1"].Public()))))),
		"broken behind": replaced(2, "AAAA"), "certificate of 16 KiB": replaced(2, toBase64(strings.Repeat("\x30", 16<<10+3))),
	} {
		f.add(k, c, "T06", token{name: "x5c " + name, expect: "key", about: "x5c is no chain: " + name, header: []any{"x5c", value}})
	}
	tail := []any{"x5c", []string{good[0], block(p.sub), block(p.root)}}
	f.add(k, c, "T06",
		token{name: "x5c PEM behind", about: "PEM behind the first, where that is tolerated", header: tail}.with("pem-tail: yes"),
		token{name: "x5c PEM first where behind is tolerated", expect: "key", about: "the first is PEM, and only the others may be", header: []any{"x5c", replaced(0, block(p.rsa))}}.with("pem-tail: yes"),
		token{name: "x5c two PEM in one", expect: "key", about: "two PEM blocks in one entry", header: []any{"x5c", replaced(1, toBase64(p.sub.pem()+p.sub.pem()))}}.with("pem-tail: yes"),
		token{name: "x5c PEM of a key", expect: "key", about: "a PEM block that is no certificate", header: []any{"x5c", replaced(1, toBase64(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.sub.cert.Raw}))))}}.with("pem-tail: yes"),
		token{name: "x5c text behind PEM", expect: "key", about: "text behind a PEM block", header: []any{"x5c", replaced(1, toBase64(p.sub.pem()+"x"))}}.with("pem-tail: yes"))
	const fixed = "header-members: alg typ x5c"
	f.add(k, c, "T07", token{name: "x5c alone in the header", about: "the header has alg, typ and x5c, which the profile fixes"}.with(fixed))
	for _, name := range []string{"jku", "jwk", "x5u", "kid", "x5t", "x5t#S256"} {
		f.add(k, c, "T07", token{name: "x5c beside " + strings.ReplaceAll(name, "#", "-"), expect: "header", about: "the header has a member that the profile does not allow", header: []any{name, "x"}}.with(fixed))
	}
	f.add(k, c, "T07",
		token{name: "x5c without typ", expect: "header", about: "the header has no typ, which the profile demands", header: []any{"typ", gone{}}}.with(fixed),
		token{name: "x5c with crit", expect: "header", about: "the header has crit", header: []any{"crit", []string{"x5c"}}},
		token{name: "x5c without alg", expect: "header", about: "the header has no alg, as a published sample has it", header: []any{"alg", gone{}}, alg: "RS256"}.with(fixed))
}

// boundCases are whether a certificate is the issuer's.
func (f family) boundCases(k keyring, c *collection, p pki) {
	leaf := func(organization, serial string, more ...func(*x509.Certificate)) holder {
		return issue(&p.sub, "leaf", k["rsa-1"], append([]func(*x509.Certificate){names(organization, serial)}, more...)...)
	}
	attribute := func(id asn1.ObjectIdentifier, value any) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: id, Value: value})
		}
	}
	organizationID, serialNumber := asn1.ObjectIdentifier{2, 5, 4, 97}, asn1.ObjectIdentifier{2, 5, 4, 5}
	bound := func(name, expect, about string, leaf holder, fields ...string) {
		f.add(k, c, "T20", chained(name, expect, about, "", leaf, p.sub).with(fields...))
	}
	const eori = "EU.EORI.NL000000001"
	named := func(t token, iss string) token {
		t.claims = append(t.claims, "iss", iss)
		return t.with("issuer: " + iss)
	}
	f.add(k, c, "T20",
		named(chained("issuer in serialNumber", "ok", "the certificate's serialNumber is the issuer", "", leaf("", eori), p.sub), eori),
		named(chained("issuer is organizationIdentifier", "ok", "the certificate's organizationIdentifier is the issuer", "", leaf(organization, ""), p.sub), organization),
		named(chained("issuer in common name", "key", "the certificate's common name is the issuer, which anybody may choose", "", leaf("", "", func(c *x509.Certificate) { c.Subject.CommonName = eori }), p.sub), eori))
	for name, value := range map[string]string{
		"another party": "NTRNL-87654321", "prefix": organization[:len(organization)-1], "longer": organization + "0", "another country": "NTRDE-12345678", "other case": strings.ToLower(organization), "with blank": organization + " ",
	} {
		bound("organization "+name, "key", "the certificate names another than the issuer: "+name, leaf(value, ""))
	}
	other := leaf("NTRNL-87654321", "")
	bound("no name", "key", "the certificate names nobody", leaf("", ""))
	bound("two organizations", "key", "the certificate names the issuer and another", leaf(organization, "", attribute(organizationID, "NTRNL-87654321")))
	bound("organization twice", "key", "the certificate names the issuer twice", leaf(organization, "", attribute(organizationID, organization)))
	bound("two serial numbers", "key", "the certificate has two serialNumbers", leaf("", "", attribute(serialNumber, party), attribute(serialNumber, "x")))
	bound("organization and two serial numbers", "key", "the certificate names the issuer, and has two serialNumbers", leaf(organization, "", attribute(serialNumber, "x"), attribute(serialNumber, "y")))
	f.add(k, c, "T20", named(chained("serial number and two organizations", "key", "the certificate's serialNumber is the issuer, and it names two organizations", "",
		leaf(organization, eori, attribute(organizationID, "NTRNL-87654321")), p.sub), eori))
	bound("organization as common name", "key", "the organization stands in the common name", leaf("", "", func(c *x509.Certificate) { c.Subject.CommonName = organization }))
	thumbprint := hex.EncodeToString(digest(hashOf("RS256"), string(other.cert.Raw)))
	bound("registered", "ok", "the certificate names another, and is registered for the issuer", other, "thumbprint: "+thumbprint)
	bound("registered is another", "key", "another certificate is registered for the issuer", leaf("NTRNL-11111111", ""), "thumbprint: "+thumbprint)
	sub := hex.EncodeToString(digest(hashOf("RS256"), string(p.sub.cert.Raw)))
	bound("registered is the authority", "key", "the authority's certificate is registered, not the first", other, "thumbprint: "+sub)
	bound("thumbprint of SHA-1", "config", "a registered thumbprint is too short", other, "thumbprint: "+thumbprint[:40])
	f.add(k, c, "T20",
		token{name: "x5c iss of another party", expect: "iss", about: "the certificate is the issuer's, and iss is another", claims: []any{"iss", parties + "NTRNL-87654321"}},
		token{name: "x5c for another issuer", expect: "key", about: "the certificate is another's than the configured issuer's", claims: []any{"iss", issuer}}.with("issuer: "+issuer))
}

// leafCases are whether a certificate may sign.
func (f family) leafCases(k keyring, c *collection, p pki) {
	leaf := func(change ...func(*x509.Certificate)) holder {
		return issue(&p.sub, "leaf", k["rsa-1"], append([]func(*x509.Certificate){names(organization, "")}, change...)...)
	}
	usage := func(usage x509.KeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.KeyUsage = usage }
	}
	extended := func(usage ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = usage }
	}
	extension := func(critical bool) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: critical, Value: []byte{5, 0}}}
		}
	}
	for _, t := range []struct {
		name, expect, about string
		leaf                holder
	}{
		{"valid from this second", "ok", "the certificate is valid from this second", leaf(from(0))},
		{"valid to this second", "ok", "this is the last second of the certificate", leaf(until(0))},
		{"expired", "key", "the certificate expired a second ago", leaf(until(-time.Second))},
		{"not valid yet", "key", "the certificate is valid from the next second", leaf(from(time.Second))},
		{"leaf is a CA", "key", "the first certificate is an authority's", leaf(func(c *x509.Certificate) { c.IsCA = true })},
		{"leaf issues", "key", "the first certificate is for issuing certificates", leaf(usage(x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign))},
		{"leaf signs lists", "key", "the first certificate is for revocation lists", leaf(usage(x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign))},
		{"leaf encrypts", "key", "the first certificate is for encryption alone", leaf(usage(x509.KeyUsageKeyEncipherment))},
		{"leaf signs digitally", "ok", "the first certificate is for digital signatures", leaf(usage(x509.KeyUsageDigitalSignature))},
		{"leaf for anything", "ok", "the first certificate does not say what for", leaf(usage(0))},
		{"leaf for mail", "ok", "an extended key usage, about which schemes disagree", leaf(extended(x509.ExtKeyUsageEmailProtection))},
		{"critical extension", "key", "the first certificate has a critical extension that nobody knows", leaf(extension(true))},
		{"unknown extension", "ok", "the first certificate has an extension that nobody knows", leaf(extension(false))},
	} {
		f.add(k, c, "T06", chained(t.name, t.expect, t.about, "", t.leaf, p.sub, p.root))
	}
	short := issue(&p.sub, "leaf", k["rsa-1024"], names(organization, ""))
	small := issue(&p.sub, "leaf", k["ec-224"], names(organization, ""))
	f.add(k, c, "T06",
		chained("RSA of 1024 bits", "key", "the first certificate's key is too short", "rsa-1024", short, p.sub),
		chained("P-224", "key", "the first certificate's key is too short", "ec-224", small, p.sub).ec(),
		chained("RS256 with EC certificate", "key", "alg is RS256, the first certificate's key is EC", "", p.ec, p.sub),
		chained("ES256 with RSA certificate", "key", "alg is ES256, the first certificate's key is RSA", "ec-1", p.rsa, p.sub).ec(),
		chained("ES384 with P-256 certificate", "key", "alg is ES384, the first certificate's key is P-256", "ec-384", p.ec, p.sub).with("algorithms: ES384").as("ES384"))
}

func (t token) as(alg string) token {
	t.header = append(t.header, "alg", alg)
	return t
}

// pathCases are whether a path leads to the anchor.
func (f family) pathCases(k keyring, c *collection, p pki) {
	under := func(ca holder) holder { return issue(&ca, "leaf", k["rsa-1"], names(organization, "")) }
	sub := func(change ...func(*x509.Certificate)) holder {
		return issue(&p.root, "sub", k["sub"], append([]func(*x509.Certificate){authority}, change...)...)
	}
	limit := func(c *x509.Certificate) { c.MaxPathLenZero = true }
	narrow := sub(limit)
	below := issue(&narrow, "below", k["ec-1"], authority)
	oldRoot := issue(nil, "root", k["root"], authority, until(-time.Second))
	plain := sub(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })
	noUsage := sub(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
	weak := issue(&p.root, "weak", k["ec-224"], authority)
	weakRSA := issue(&p.root, "weak", k["rsa-1024"], authority)
	sha1 := issue(&p.sub, "leaf", k["rsa-1"], names(organization, ""), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	sameName := issue(&p.root, "sub", k["ec-2"], authority)
	impostor := issue(nil, "root", k["ec-2"], authority)
	c.files["keys/anchor-expired.pem"] = oldRoot.pem()
	for _, t := range []struct {
		name, expect, about string
		chain               []holder
	}{
		{"sub to this second", "ok", "this is the authority's last second", []holder{under(sub(until(0))), sub(until(0))}},
		{"sub expired", "key", "the authority expired a second ago", []holder{under(sub(until(-time.Second))), sub(until(-time.Second))}},
		{"sub not valid yet", "key", "the authority is valid from the next second", []holder{under(sub(from(time.Second))), sub(from(time.Second))}},
		{"sub not a CA", "key", "the authority's certificate does not say that it is one", []holder{under(plain), plain}},
		{"sub may not issue", "key", "the authority's key usage is another", []holder{under(noUsage), noUsage}},
		{"path length kept", "ok", "the authority allows no authority below, and there is none", []holder{under(narrow), narrow}},
		{"path length exceeded", "key", "the authority allows no authority below, and there is one", []holder{under(below), below, narrow}},
		{"sub of 224 bits", "key", "the authority's key is too short", []holder{under(weak), weak}},
		{"sub of RSA 1024", "key", "the authority's key is too short", []holder{under(weakRSA), weakRSA}},
		{"SHA-1", "key", "the first certificate is signed with SHA-1", []holder{sha1, p.sub}},
		{"authority of the same name", "key", "an authority with the same name and another key", []holder{under(p.sub), sameName}},
		{"root of the same name", "key", "a root with the same name and another key", []holder{under(impostor), impostor, p.root}},
		{"good path beside an expired one", "ok", "the authority is there twice, expired and valid", []holder{under(p.sub), sub(until(-time.Second)), p.sub}},
		{"expired path alone", "key", "the authority is there, expired, and the valid one is not", []holder{under(p.sub), sub(until(-time.Second))}},
		{"good path beside one through a leaf", "ok", "a certificate that is no authority's has the authority's name and key", []holder{under(p.sub), plain, p.sub}},
	} {
		f.add(k, c, "T06", chained(t.name, t.expect, t.about, "", t.chain...))
	}
	claims := issue(nil, "root", k["ec-2"], authority, func(c *x509.Certificate) { c.SubjectKeyId = p.root.cert.SubjectKeyId })
	forged := func(i int) holder {
		return issue(&claims, "sub", k["ec-2"], authority, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(int64(i)) })
	}
	first := forged(1)
	byForged := issue(&first, "leaf", k["rsa-2"], names(organization, ""))
	f.add(k, c, "T06",
		chained("good path beside a forged one", "key", "a good path, and beside it a forged authority that has the name of the authority, and names the root and its key", "", under(p.sub), forged(1), p.sub),
		chained("good path beside many forged ones", "key", "eight forged authorities have the name of the authority: too many to try", "", under(p.sub), forged(1), forged(2), forged(3), forged(4), forged(5), forged(6), forged(7), forged(8), p.sub),
		chained("forged authority", "key", "issued by a forged authority that names the root", "rsa-2", byForged, forged(1), p.sub, p.root))
	f.add(k, c, "T06", chained("root expired", "key", "the anchor has expired", "", under(p.sub), p.sub).with("anchors: anchor-expired.pem"))
	f.longPaths(k, c, p)
	f.nameConstraints(k, c, p)
}

// longPaths are chains of many certificates.
func (f family) longPaths(k keyring, c *collection, p pki) {
	chain := func(between int) []holder {
		last, all := p.root, []holder{}
		for i := range between {
			last = issue(&last, fmt.Sprintf("authority %d", i), k["sub"], authority)
			all = append([]holder{last}, all...)
		}
		return append([]holder{issue(&last, "leaf", k["rsa-1"], names(organization, ""))}, all...)
	}
	copies := func(n int) (all []holder) {
		all = []holder{p.rsa, p.sub}
		for i := range n - 2 {
			all = append(all, issue(nil, fmt.Sprintf("stranger %d", i), k["ec-2"], authority))
		}
		return all
	}
	// Two authorities that certify each other, and no anchor.
	first := issue(nil, "first", k["ec-2"], authority)
	second := issue(&first, "second", k["ec-384"], authority)
	firstAgain := issue(&second, "first", k["ec-2"], authority)
	loop := issue(&second, "leaf", k["rsa-1"], names(organization, ""))
	var many []holder
	for i := range 9 {
		many = append(many, issue(nil, "sub", k["ec-2"], authority, until(time.Duration(i+1)*time.Minute)))
	}
	f.add(k, c, "T06",
		chained("path of 10", "ok", "a path of ten certificates, the anchor included", "", chain(8)...),
		chained("path of 11", "key", "a path of eleven certificates, the anchor included", "", chain(9)...),
		chained("10 certificates", "ok", "ten certificates, of which two are needed", "", copies(10)...),
		chained("11 certificates", "key", "eleven certificates, of which two are needed", "", copies(11)...),
		chained("40 certificates", "key", "forty certificates", "", copies(40)...),
		chained("loop", "key", "two authorities that certify each other", "", loop, second, firstAgain),
		chained("loop beside a root", "key", "two authorities that certify each other, and the trusted root", "", loop, second, firstAgain, first, p.root),
		chained("9 authorities of one name", "key", "nine authorities have the name of the one that is missing", "", append([]holder{p.rsa}, many...)...),
		chained("the leaf ten times", "key", "the first certificate ten times", "", p.rsa, p.rsa, p.rsa, p.rsa, p.rsa, p.rsa, p.rsa, p.rsa, p.rsa, p.rsa),
		chained("cross-signed", "ok", "the authority is certified by a stranger too", "", p.rsa, issue(&first, "sub", k["sub"], authority), p.sub),
		chained("cross-signed by a stranger alone", "key", "the authority's certificate by a stranger, and not the root's", "", p.rsa, issue(&first, "sub", k["sub"], authority), first))
}

// nameConstraints are authorities that may only certify some names.
func (f family) nameConstraints(k keyring, c *collection, p pki) {
	permits := issue(&p.root, "sub", k["sub"], authority, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
	})
	forbids := issue(&p.root, "sub", k["sub"], authority, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.ExcludedEmailAddresses = true, []string{"example.org"}
	})
	leaf := func(ca holder, change func(*x509.Certificate)) holder {
		return issue(&ca, "leaf", k["rsa-1"], names(organization, ""), change)
	}
	dns := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = []string{name} }
	}
	mail := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.EmailAddresses = []string{name} }
	}
	f.add(k, c, "T06",
		chained("name permitted", "ok", "a host that the authority may certify", "", leaf(permits, dns("op.example.org")), permits),
		chained("name not permitted", "key", "a host that the authority may not certify", "", leaf(permits, dns("op.example.com")), permits),
		chained("name with a longer suffix", "key", "a host that only ends like those that the authority may certify", "", leaf(permits, dns("evil-example.org")), permits),
		chained("mail forbidden", "key", "a mail address that the authority may not certify", "", leaf(forbids, mail("a@example.org")), forbids),
		chained("mail not forbidden", "ok", "a mail address that the authority may certify", "", leaf(forbids, mail("a@example.com")), forbids))
}
