package certchain

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
)

// PartyIDs returns the organizationIdentifier and serialNumber attributes of a
// certificate's subject (ETSI EN 319 412-1 §5.1.4, RFC 3739 §3.1.2).
func PartyIDs(leaf *x509.Certificate) (organizationIdentifiers, serialNumbers []string) {
	organizationIdentifier := asn1.ObjectIdentifier{2, 5, 4, 97}
	serialNumber := asn1.ObjectIdentifier{2, 5, 4, 5}
	for _, name := range leaf.Subject.Names {
		value, ok := name.Value.(string)
		switch {
		case !ok || value == "":
		case name.Type.Equal(organizationIdentifier):
			organizationIdentifiers = append(organizationIdentifiers, value)
		case name.Type.Equal(serialNumber):
			serialNumbers = append(serialNumbers, value)
		}
	}
	return organizationIdentifiers, serialNumbers
}

// Bound reports whether a leaf certificate names a party, byte for byte: its
// serialNumber is the party id (EU.EORI.NL000000001), its
// organizationIdentifier is, or the party id is did:ishare:EU.NL. followed by
// it, with the country that stands after the three letters of the register
// (NTRNL-12345678 is NTR of NL). Nothing is normalised. A certificate that names
// two parties names none.
func Bound(leaf *x509.Certificate, party string) bool {
	organizations, serials := PartyIDs(leaf)
	if party == "" || len(organizations) > 1 || len(serials) > 1 {
		return false
	}
	if len(serials) == 1 && serials[0] == party {
		return true
	}
	return len(organizations) == 1 && (organizations[0] == party || didOf(organizations[0]) == party)
}

func didOf(organization string) string {
	register, _, ok := strings.Cut(organization, "-")
	if !ok || len(register) != len("NTRNL") {
		return ""
	}
	return "did:ishare:EU." + register[3:] + "." + organization
}
