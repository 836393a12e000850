#!/usr/bin/env python3
"""Writes demo/leads.csv: leads of three campaigns, with numbers spelled as real lists spell them. Fixed seed."""

import csv
import random
import sys

random.seed(20260301)

FIRST = "Ava Ben Carla David Elena Farid Grace Hiro Ines Jamal Kira Liam Maya Noah Olga Pedro Quinn Rosa Sam Tara".split()
LAST = "Adams Brown Chen Diaz Evans Fischer Garcia Hughes Ivanov Jones Kim Lopez Meyer Nguyen Okafor Patel Reed".split()
COMPANIES = ["Acme Homes", "Blue Door Realty", "Cedar & Sons", "Delta Supply", "Elm Street Dental", "Foxglove Design"]
AREAS = ["212", "678", "832", "415", "650", "305", "206", "512", "617", "702"]
FOREIGN = ["+49 30 123456", "+44 20 7946 0958", "0044 7400 123456", "+33 1 42 68 53 00", "+39 06 6982", "+52 55 1234 5678",
           "011 49 30 123456", "+81 3-1234-5678", "+61 2 9374 4000"]
JUNK = ["n/a", "none", "-", "TBD", "ask John", "555-1212", "000-000-0000", "123 456 7890", "john@example.com", "?", "0",
        "see notes", "999 999 9999", "6789998212123", "unknown"]
FULLWIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def number():
    return random.choice(AREAS), f"{random.randint(200, 989):03d}", f"{random.randint(0, 9999):04d}"


def spell(a, b, c):
    styles = [f"1 {a}-{b}-{c}", f"({a})-{b} {c}", f"{a} {b} {c}", f"+1 ({a}) {b}-{c}",
              f"{a}.{b}.{c}", f"{a}-{b}-{c}", f"{a}{b}{c}", f"1{a}{b}{c}", f"+1{a}{b}{c}", f"({a}) {b}-{c}", f"[{a}] {b}-{c}",
              f"{a}/{b}/{c}", f"{a} {b}-{c} ext. {random.randint(1, 99)}", f"{a}-{b}-{c} x{random.randint(1, 999)}",
              f"tel:+1-{a}-{b}-{c}", f"tel:{a}-{b}-{c};phone-context=+1", f"{a}{b}{c}".translate(FULLWIDTH),
              f"{a}\u00a0{b}\u00a0{c}", f"  {a} {b} {c}  ", f"+1\u2011{a}\u2011{b}\u2011{c}", f"(1) {a}.{b}.{c}",
              f"1.{a}.{b}.{c}"]
    return random.choice(styles)


def any_number(pool):
    roll = random.random()
    if roll < 0.08:
        return random.choice(JUNK)
    if roll < 0.14:
        return random.choice(FOREIGN)
    return spell(*random.choice(pool))


def rows():
    # the scenario: two of these are the same John, and only the number says so
    yield 42, "John Smith", "john@kw.example", "Keller Williams", "+1-212-761-2846", "1 678-999-8212"
    yield 42, "John R. Smith", "jrs@kwrealty.example", "KW Realty", "", "(678)-999 8212"
    yield 42, "Jane Doe", "jane@kw.example", "Keller Williams", "212.761.2846", "+1 (832) 723-4097"
    yield 42, "Jane's husband", "hi@petshop.example", "Petshop Supply", "832 723 4097", ""
    for campaign, size in ((42, 236), (43, 200), (44, 160)):
        pool = [number() for _ in range(size)]
        for i in range(size):
            first, last, company = random.choice(FIRST), random.choice(LAST), random.choice(COMPANIES)
            email = f"{first}.{last}{i}@{company.split()[0]}.example".lower()
            phone = any_number(pool) if random.random() < 0.9 else ""
            mobile = any_number(pool) if random.random() < 0.6 else ""
            yield campaign, f"{first} {last}", email, company, phone, mobile


with open(sys.argv[1] if len(sys.argv) > 1 else "demo/leads.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["campaign_id", "name", "email", "account", "phone", "mobile"])
    writer.writerows(rows())
