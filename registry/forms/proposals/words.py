"""The words by which other people's tables name what the register knows: headings, things, causes, grades.

English, Ukrainian and Russian, and the usual ones in Spanish, French, Portuguese, German, Turkish, Polish, Arabic and
Japanese. See ``wording.pattern`` for how they are found; of several rules the first that fits counts, so what is
special stands above what is general.
"""

import re
from collections.abc import Iterable
from functools import lru_cache, partial

from registry.forms.wording import pattern, plain
from registry.rules import scales

#: Less sure than this, a heading names nothing.
LEAST = 0.4

#: Words of headings for each role of a column. A heading that is exactly one of them is surer than one that
#: holds it.
HEADINGS: dict[str, tuple[str, ...]] = {
    "ref": ("id", "uid", "uuid", "ref", "reference", "nr", "no", "number", "obs", "entry", "code", "case", "record",
        "fid", "objectid", "globalid", "key", "№", "номер", "код", "ід", "ид", "nn", "№ п/п", "п/п", "numero",
        "número", "n.º", "nro", "folio", "expediente", "protocolo", "código", "codigo", "numéro", "lfd nr", "nummer",
        "kennung", "sıra no", "sıra", "numara", "الرقم", "رقم", "رمز", "番号", "整理番号", "lp"),
    "country": ("country", "nation", "iso3", "iso2", "iso", "admin0", "adm0", "admin 0", "adm 0", "країна", "страна",
        "país", "pais", "pays", "staat", "ülke", "دولة", "البلد", "国", "kraj"),
    "region": ("region", "oblast*", "province", "state", "governorate", "adm1", "admin1", "adm 1", "admin 1",
        "prefecture", "область", "області", "регіон*", "регион*", "postal code", "край", "provincia", "estado",
        "comunidad autónoma", "entidad federativa", "région", "bundesland", "província", "uf", "il", "محافظة",
        "إقليم", "ولاية", "都道府県", "県", "województwo", "субъект рф", "субъект"),
    "pcode": ("pcode", "p-code", "p code", "adm1 pcode", "adm2 pcode", "admin1pcode", "admin2pcode", "admin pcode"),
    "district": ("district", "raion", "rayon", "county", "adm2", "admin2", "adm 2", "admin 2", "район*",
        "department", "distrito", "cantón", "municipio", "município", "gmina", "partido", "comarca", "département",
        "arrondissement", "landkreis", "kreis", "ilçe", "منطقة", "قضاء", "郡", "powiat", "municipal district",
        "муниципальн*"),
    "place": ("place", "town", "city", "settlement", "village", "locality", "location", "municipality", "community",
        "hromada", "adm3", "adm4", "admin3", "admin4", "site", "населений пункт", "населенный пункт", "насел. пункт",
        "нас. пункт", "насел пункт", "нас пункт", "нп", "н.п.", "н п", "місто", "город", "село", "громада", "місце",
        "место", "population point", "area affected", "affected area", "localidad", "municipio", "ciudad",
        "población", "poblado", "lugar", "pueblo", "commune", "ville", "localité", "lieu", "quartier", "ort",
        "stadt", "gemeinde", "ortschaft", "cidade", "município", "localidade", "mahalle", "köy", "şehir", "yer",
        "بلدة", "مدينة", "قرية", "موقع", "ناحية", "حي", "市町村", "市区町村", "場所", "地区", "miejscowość", "gmina",
        "населений пункт*", "населенный пункт*"),
    "address": ("address", "street", "адрес*", "вулиця", "улица", "dirección", "domicilio", "calle", "adresse",
        "rue", "anschrift", "straße", "endereço", "rua", "adres", "sokak", "cadde", "عنوان", "شارع", "住所",
        "所在地", "ulica"),
    "object_name": ("name", "object name", "facility name", "title of object", "назва", "название", "найменування",
        "наименование", "nombre", "nom", "bezeichnung", "nome", "ad", "adı", "اسم", "الاسم", "名称", "施設名",
        "nazwa"),
    "lat": ("lat", "latitude", "y", "широта", "latitud", "breite", "breitengrad", "enlem", "خط العرض", "緯度",
        "szerokość"),
    "lon": ("lon", "lng", "long", "longitude", "x", "довгота", "долгота", "longitud", "länge", "längengrad",
        "boylam", "خط الطول", "経度", "długość"),
    "point": ("coordinates", "coords", "coordinate", "lat lon", "lat long", "latlon", "gps", "geo point",
        "координати", "координаты", "coordenadas", "coordonnées", "koordinaten", "koordinatlar", "إحداثيات", "座標"),
    "day": ("date", "day", "event date", "occurred", "when", "happened", "incident date", "date of event",
        "start date", "outage start date", "дата", "день", "коли", "когда", "date of damage", "damaged on", "fecha",
        "fecha inicio", "fecha de inicio", "fecha del evento", "date du constat", "jour", "datum", "data",
        "data do evento", "tarih*", "تاريخ", "発生日", "日付", "年月日", "data zdarzenia"),
    "time": ("time", "hour", "start time", "outage start time", "час", "время", "time of day", "hora", "hora inicio",
        "hora de inicio", "heure", "uhrzeit", "zeit", "saat", "الوقت", "وقت", "ساعة", "時刻", "時間", "godzina"),
    "moment": ("datetime", "timestamp", "start", "began", "started", "outage start", "begin", "start datetime",
        "date and time", "початок", "начало", "off since", "inicio", "fecha y hora", "début", "beginn", "início",
        "başlangıç", "بداية", "発生日時", "日時"),
    "back_day": ("restoration date", "restored date", "end date", "date restored", "restored on", "fecha reposición",
        "fecha de reposición", "fecha fin", "fecha restablecimiento", "fecha de restablecimiento",
        "date de rétablissement", "datum ende", "data fim", "bitiş tarihi", "تاريخ الاستعادة", "復旧日"),
    "back_time": ("restoration time", "restored time", "end time", "time of restoration", "hora reposición",
        "hora de reposición", "hora fin", "hora restablecimiento", "heure de rétablissement", "hora fim",
        "bitiş saati"),
    "back": ("restored", "restoration", "end", "ended", "power back", "restored at", "відновлен*", "восстановлен*",
        "кінець", "конец", "finish", "reposición", "restablecimiento", "fin", "rétablissement", "ende",
        "wiederherstellung", "restabelecimento", "bitiş", "استعادة", "عودة التيار", "復旧日時"),
    "year": ("year", "рік", "год", "año", "année", "jahr", "ano", "yıl", "سنة", "عام", "年", "rok"),
    "month": ("month", "місяць", "месяц", "mes", "mois", "monat", "mês", "ay", "شهر", "月", "miesiąc"),
    "what": ("what", "type", "kind", "category", "infrastructure", "facility", "object", "building", "use", "sector",
        "class", "type of infrastructure", "object type", "тип*", "вид*", "об'єкт*", "объект*", "категор*",
        "структур*", "tipo", "clase", "categoría", "infraestructura", "instalación", "edificación", "nature du bien",
        "type de bâtiment", "bâtiment", "ouvrage", "objekt", "objektart", "gebäude", "edificação", "tür", "türü",
        "yapı", "yapı türü", "bina", "نوع", "نوع المنشأة", "منشأة", "مبنى", "被害物件", "種別", "施設", "建物",
        "rodzaj", "что повреждено", "що пошкоджено", "dmg category"),
    "grade": ("damage", "extent", "severity", "grade", "degree", "condition", "damage level", "level of damage",
        "extent of damage", "damage class", "ступін*", "степень", "пошкодж*", "повреж*", "руйнув*", "разруш*",
        "стан", "состояние", "daño", "daños", "nivel de daño", "grado de daño", "dégât*", "niveau de dégâts", "état",
        "schaden", "schadensgrad", "dano", "nível de dano", "hasar", "hasar durumu", "ضرر", "مستوى الضرر",
        "درجة الضرر", "حالة المبنى", "被害程度", "被害区分", "程度", "uszkodzen*", "stopień", "dmg",
        "характер повреждений", "характер пошкоджень"),
    "cause": ("cause", "reason", "hazard", "cause category", "cause detail", "event type", "причин*", "trigger",
        "causa", "motivo", "ursache", "grund", "neden", "sebep", "سبب", "原因", "przyczyna"),
    "customers_lost": ("customers affected", "customers out", "customers", "affected", "consumers", "clients",
        "customers without power", "абонент*", "споживач*", "потребител*", "відключено", "отключено",
        "clientes afectados", "usuarios afectados", "usuarios", "clientes", "suministros afectados", "abonados",
        "clients coupés", "clients touchés", "abonnés", "foyers", "betroffene kunden", "kunden", "haushalte",
        "clientes interrompidos", "unidades consumidoras*", "odbiorców", "consumidores", "etkilenen abone", "abone",
        "مشتركون", "مشترك", "停電戸数", "停電軒数", "odbiorcy", "cust aff", "cust out", "meters out",
        "customers interrupted"),
    "customers_served": ("total customers", "customers served", "customers total", "served", "clientes totales",
        "total de clientes", "total clientes", "clients desservis", "kunden gesamt", "total de consumidores",
        "toplam abone", "customers tracked"),
    "dwellings_total": ("dwellings", "apartments total", "flats", "квартир*", "viviendas", "logements", "wohnungen",
        "wohneinheiten", "domicílios", "daire sayısı", "شقق", "戸数"),
    "source_name": ("source", "source name", "publisher", "reported by", "джерело", "источник", "fuente", "quelle",
        "fonte", "kaynak", "مصدر", "出典", "情報源", "źródło"),
    "source_url": ("url", "link", "source link", "source url", "href", "website", "links", "посилання", "ссылк*",
        "enlace", "lien", "bağlantı", "رابط", "リンク"),
    "more_sources": ("additional sources", "other sources", "more sources", "other links", "otras fuentes",
        "autres sources"),
    "source_date": ("source date", "published", "publication date", "date published", "reported on",
        "дата публікації", "дата публикации", "fecha de publicación", "date de publication", "veröffentlicht",
        "data de publicação", "yayın tarihi", "تاريخ النشر", "公表日"),
    "description": ("description", "brief description", "details", "detail", "comment*", "remark*", "note*",
        "narrative", "summary", "other what", "опис", "описание", "прим*", "комент*", "коммент*", "text", "title",
        "descripción", "observaciones", "comentarios", "detalle", "observation*", "commentaire*", "remarque*",
        "beschreibung", "bemerkung*", "anmerkung*", "descrição", "observações", "açıklama", "notlar", "ملاحظات",
        "وصف", "تفاصيل", "備考", "概要", "説明", "uwagi", "opis"),
}  # fmt: skip

_BUILDING = {"kind": "building"}


def _building(use: str) -> dict[str, str]:
    return {**_BUILDING, "object_type": use}


def _network(sector: str, part: str = "system") -> dict[str, str]:
    return {"kind": "network", "sector": sector, "object_type": part}


Rule = tuple[tuple[str, ...], dict[str, str]]

#: What was damaged.
THINGS: tuple[Rule, ...] = (
    (("energy infrastructure (unknown*",), _network("unknown", "unknown")),
    (("transformer*", "трансформатор*", "transformador*", "transformateur*", "transformator*", "trafo", "محول*",
      "変圧器"), _network("electricity", "transformer")),
    (("substation*", "підстанц*", "подстанц*", "subestación*", "subestação*", "poste source*", "umspannwerk*",
      "trafo merkezi", "محطة تحويل*", "変電所", "stacja transformatorowa"), _network("electricity", "substation")),
    (("power plant*", "power station*", "nuclear*", "тец", "тэц", "тес", "гес", "аес", "аэс", "гэс", "електростанц*",
      "электростанц*", "thermal power*", "hydroelectric*", "central eléctrica*", "central térmica*",
      "centrale électrique*", "kraftwerk*", "usina*", "santral*", "elektrownia*", "محطة توليد*", "محطة كهرباء",
      "発電所"), _network("electricity", "plant")),
    (("power line*", "transmission line*", "distribution line*", "лінія електро*", "линия электро*", "леп", "лэп",
      "лінії електро*", "línea eléctrica*", "líneas eléctricas*", "línea de alta tensión", "ligne électrique*",
      "stromleitung*", "freileitung*", "linha de transmissão", "enerji hattı", "elektrik hattı", "خط كهرباء*",
      "خطوط كهرباء*", "送電線", "配電線", "電線"), _network("electricity", "line")),
    (("boiler*", "котельн*", "kotłowni*"), _network("heat", "boiler_house")),
    (("heating", "heat supply", "district heat*", "теплопостач*", "теплоснаб*", "тепломереж*", "calefacción",
      "chauffage*", "fernwärme*", "تدفئة"), _network("heat")),
    (("pumping*", "насосн*", "bombeo", "estación de bombeo*", "station de pompage*", "pumpwerk*", "pumpstation*",
      "محطة ضخ*", "ポンプ場"), _network("water", "pumping_station")),
    (("sewage*", "sewer*", "wastewater*", "каналіз*", "канализ*", "alcantarilla*", "saneamiento", "assainissement",
      "égout*", "abwasser*", "kanalisation*", "esgoto*", "kanalizasyon*", "صرف صحي", "下水"),
     _network("water", "sewer")),
    (("water supply*", "water system*", "water main*", "waterworks", "water", "водопост*", "водоснаб*", "водопров*",
      "водогін*", "agua", "agua potable", "eau", "eau potable", "wasserversorgung*", "wasserleitung*", "água",
      "su şebekesi", "içme suyu", "مياه", "شبكة مياه", "水道", "wodociąg*"), _network("water")),
    (("petrol station*", "gas station*", "filling station*", "fuel station*", "азс", "gasolinera*",
      "estación de servicio", "station service*", "tankstelle*", "posto de combustível", "benzin istasyonu",
      "akaryakıt", "محطة وقود", "ガソリンスタンド"), _network("fuel", "station")),
    (("refiner*", "нпз", "refinería*", "raffinerie*", "refinaria*", "rafineri*", "مصفاة*"),
     _network("fuel", "refinery")),
    (("fuel depot*", "oil depot*", "fuel storage*", "oil storage*", "нафтобаз*", "нефтебаз*", "fuel", "oil",
      "depósito de combustible", "dépôt de carburant", "tanklager*", "خزان وقود"), _network("fuel", "depot")),
    (("pipeline*", "газопров*", "газогін*", "gasoducto*", "oleoducto*", "gazoduc*", "gasleitung*", "gasoduto*",
      "boru hattı", "خط أنابيب"), _network("gas", "pipeline")),
    (("gas supply*", "gas system*", "gas network*", "gas infrastructure", "gas", "газопост*", "газоснаб*",
      "gasversorgung*", "doğalgaz*", "doğal gaz*", "غاز", "ガス"), _network("gas")),
    (("electric*", "power supply*", "power grid*", "power infrastructure", "energy*", "енергет*", "энергет*",
      "електро*", "электро*", "power", "électri*", "elétric*", "energía*", "strom*", "stromversorgung*", "elektrik*",
      "كهرباء*", "電気", "電力", "停電"), _network("electricity")),
    (("telecom*", "communications", "tv tower*", "television tower*", "internet", "зв'язок", "связь", "телеком*",
      "telecomunicacion*", "antena*", "antenne*", "mobilfunk*", "funkmast*", "baz istasyonu", "اتصالات", "通信"),
     _network("telecom")),
    (("bridge*", "міст", "мост", "мости", "мосты", "puente*", "pont", "ponts", "brücke*", "ponte", "pontes",
      "köprü*", "جسر", "جسور", "橋"), _network("transport", "bridge")),
    (("railway*", "railroad*", "rail", "train", "залізни*", "железнодор*", "жд", "ferrocarril*", "vía férrea",
      "voie ferrée*", "chemin de fer", "gleis*", "bahnstrecke*", "ferrovia*", "demiryolu*", "سكة حديد*", "鉄道",
      "線路"), _network("transport", "railway")),
    (("road*", "highway*", "street surface", "дорог*", "шляхи", "автошлях*", "carretera*", "camino*", "calle*",
      "route", "routes", "straße*", "autobahn*", "estrada*", "rodovia*", "yol", "yollar", "طريق", "طرق", "شارع",
      "道路", "国道", "drog*"), _network("transport", "road")),
    (("airport*", "airfield*", "аеропорт*", "аэропорт*", "aeropuerto*", "aéroport*", "flughafen*", "aeroporto*",
      "havaalanı*", "havalimanı*", "مطار*", "空港"), _network("transport", "airport")),
    (("harbo*", "seaport*", "port", "ports", "порт", "порти", "порты", "puerto*", "hafen*", "porto", "portos",
      "liman*", "ميناء", "港湾", "漁港"), _network("transport", "port")),
    (("bus station*", "metro*", "transport station*", "вокзал*", "автовокзал*", "terminal de autobuses", "gare",
      "gare routière", "bahnhof*", "otogar*", "駅"), _network("transport", "station")),
    (("transport*",), _network("transport", "unknown")),
    (("kindergarten*", "nursery*", "preschool*", "дитсад*", "дитяч* сад*", "дитячий садок", "дитячий сад", "детсад*",
      "детский сад*", "днз", "зднз", "здо", "jardín de infan*", "jardín infantil", "guardería*", "escuela infantil",
      "école maternelle*", "crèche*", "kita", "kindertagesstätte*", "jardim de infância", "anaokulu*", "kreş*",
      "روضة*", "保育", "幼稚園", "こども園", "przedszkol*"), _building("kindergarten")),
    (("education*", "освіт*", "образован*", "educación", "educativ*", "enseignement*", "scolaire*", "bildung*",
      "educação", "eğitim*", "تعليم*", "教育"), _building("education")),
    (("school*", "lyceum*", "gymnasium*", "школ*", "ліцей*", "лицей*", "гімназ*", "гимназ*", "escuela*", "colegio*",
      "liceo*", "école*", "lycée*", "*schule*", "escola*", "okul*", "ilkokul*", "ortaokul*", "lise", "مدرسة*",
      "مدارس", "学校", "小学", "中学", "高校", "szkoł*"), _building("school")),
    (("universit*", "college*", "institute*", "academy", "університет*", "университет*", "коледж*", "колледж*",
      "universidad*", "facultad*", "faculté*", "hochschule*", "fachhochschule*", "üniversite*", "جامعة*", "معهد*",
      "大学"), _building("university")),
    (("health*", "medical*", "медичн*", "медицин*", "охорон* здоров*", "centro de salud", "salud", "sanitari*",
      "santé", "dispensaire*", "gesundheit*", "saúde", "sağlık*", "صحي", "صحية", "مركز صحي", "医療", "診療所"),
     _building("health")),
    (("hospital*", "maternity*", "лікарн*", "больниц*", "госпітал*", "госпитал*", "пологов*", "hôpital*", "hôpitaux",
      "maternité*", "krankenhaus*", "*klinikum", "hastane*", "مستشفى*", "مشفى*", "مشافي", "病院", "szpital*"),
     _building("hospital")),
    (("clinic*", "polyclinic*", "поліклін*", "поликлин*", "амбулатор*", "clínica*", "clinique*", "consultorio*",
      "ambulatorio*", "posto de saúde", "poliklinik*", "عيادة*", "مستوصف*"), _building("clinic")),
    (("fire station*", "police*", "rescue*", "emergency service*", "пожежн*", "пожарн*", "поліці*", "полици*",
      "bombero*", "policía*", "comisaría*", "pompiers", "caserne*", "gendarmerie*", "feuerwehr*", "polizei*",
      "bombeiros", "delegacia*", "itfaiye*", "polis", "karakol*", "دفاع مدني", "شرطة", "مخفر*", "消防", "警察"),
     _building("emergency_services")),
    (("government*", "administrat*", "council*", "town hall*", "city hall*", "court*", "адмін*", "админ*",
      "міськрада", "сільрад*", "ayuntamiento*", "municipalidad*", "gobierno*", "edificio público", "mairie*",
      "préfecture*", "hôtel de ville", "rathaus*", "verwaltung*", "behörde*", "prefeitura*", "câmara municipal",
      "belediye*", "valilik*", "kaymakamlık*", "بلدية", "حكومي*", "دائرة حكومية", "庁舎", "役場", "市役所",
      "公共施設", "urząd*"), _building("government")),
    (("church*", "mosque*", "temple*", "synagogue*", "cathedral*", "monaster*", "chapel*", "religio*", "церк*",
      "храм*", "собор*", "релігі*", "религи*", "iglesia*", "templo*", "mezquita*", "parroquia*", "ermita*",
      "église*", "mosquée*", "kirche*", "moschee*", "igreja*", "mesquita*", "cami", "camii", "kilise*", "مسجد*",
      "مساجد", "كنيسة*", "جامع", "寺院", "神社", "教会", "kościół*", "kościoł*"), _building("religious")),
    (("cultur*", "museum*", "theat*", "librar*", "concert*", "cinema*", "культур*", "музе*", "театр*", "бібліот*",
      "библиот*", "museo*", "teatro*", "musée*", "théâtre*", "bibliothèque*", "médiathèque*", "kultur*",
      "bibliothek*", "museu*", "kültür*", "müze*", "kütüphane*", "متحف*", "مكتبة*", "ثقافي*", "文化", "図書館",
      "博物館", "美術館"), _building("culture")),
    (("dormitor*", "hostel*", "гуртож*", "общежит*", "residencia estudiantil", "internado*", "internat*",
      "wohnheim*", "yurt", "yurdu", "سكن طلاب*", "寮"), _building("dormitory")),
    (("apartment*", "multi-storey*", "multistory*", "high-rise*", "flats", "tower block*", "residential block*",
      "багатоквартир*", "многоквартир*", "багатоповерх*", "многоэтаж*", "мкд", "мжб", "edificio de viviendas",
      "bloque de viviendas", "apartamento*", "immeuble*", "appartement*", "mehrfamilienhaus*", "wohnblock*",
      "wohnung*", "apartman*", "عمارة*", "بناية سكنية*", "شقة*", "マンション", "アパート", "共同住宅",
      "blok mieszkalny"), _building("apartments")),
    (("private house*", "house", "houses", "home", "homes", "cottage*", "detached*", "приватн* буд*",
      "приватний будинок", "частн* дом*", "частный дом", "житлов* буд*", "житловий будинок", "жилой дом",
      "жил* дом*", "будинок", "будинки", "домовлад*", "домоволод*", "casa*", "vivienda unifamiliar", "chalet*",
      "maison*", "habitation*", "pavillon*", "einfamilienhaus*", "wohnhaus*", "haus", "häuser", "moradia*", "ev",
      "evi", "müstakil", "منزل*", "منازل", "بيت", "بيوت", "住家", "住宅", "家屋", "民家", "dom jednorodzinny", "dom"),
     _building("house")),
    (("residential*", "dwelling*", "housing*", "житл*", "жил*", "vivienda*", "residencia*", "logement*",
      "wohngebäude*", "habitação*", "habitações", "konut*", "mesken*", "سكني*", "سكن", "mieszkaln*"),
     _building("unknown")),
    (("agricult*", "farm*", "grain*", "elevator*", "сільськогосп*", "сельхоз*", "ферм*", "зернос*", "елеватор*",
      "agrícola*", "agropecuari*", "granja*", "finca*", "ferme*", "exploitation agricole", "landwirtschaft*",
      "bauernhof*", "fazenda*", "tarım*", "ahır*", "çiftlik*", "زراعي*", "مزرعة*", "農業", "農地", "農家",
      "gospodarstwo"), _building("agricultural")),
    (("warehouse*", "storage*", "depot*", "hangar*", "склад*", "ангар*", "almacén*", "almacenes", "depósito*",
      "entrepôt*", "lager*", "armazém*", "galpão*", "depo", "deposu", "مستودع*", "مخزن*", "倉庫", "magazyn*"),
     _building("warehouse")),
    (("industr*", "factory*", "factories", "plant", "plants", "enterprise*", "manufactur*", "mine", "mines",
      "завод*", "фабрик*", "промисл*", "промыш*", "підприєм*", "предприят*", "шахт*", "fábrica*",
      "planta industrial", "nave industrial", "usine*", "*fabrik*", "werk", "fabrika*", "sanayi*", "مصنع*", "معمل*",
      "工場", "zakład*"), _building("industrial")),
    (("commerc*", "business*", "shop*", "store", "stores", "mall*", "market*", "supermarket*", "office*", "hotel*",
      "cafe*", "restaurant*", "bank*", "магазин*", "торг*", "ринок", "рынок", "офіс*", "офис*", "готел*",
      "гостиниц*", "кафе", "ресторан*", "tienda*", "mercado*", "negocio*", "magasin*", "boutique*", "geschäft*",
      "laden", "gewerbe*", "supermarkt*", "loja*", "comércio*", "dükkan*", "iş yeri*", "işyeri*", "çarşı*", "متجر*",
      "محل تجاري*", "محلات*", "سوق", "تجاري*", "店舗", "商店", "商業", "sklep*"), _building("commercial")),
    (("other*", "інш*", "прочее", "друг*", "miscellaneous", "otro*", "otra*", "autre*", "sonstige*", "andere*",
      "outro*", "outra*", "diğer*", "أخرى", "その他", "inne"), _building("other")),
    (("building*", "будівл*", "здани*", "споруд*", "edificio*", "construcción*", "bâtiment*", "gebäude*",
      "edificação*", "edifício*", "bina*", "yapı*", "مبنى*", "مباني*", "بناية*", "建物", "建築物", "budyn*"),
     _building("unknown")),
)  # fmt: skip

#: What says of a list of outages that they are of electricity.
ELECTRICITY: tuple[Rule, ...] = (
    (("outage*", "power", "*electr*", "*électr*", "*elétr*", "*eléctr*", "електр*", "электр*", "luz", "apag*", "strom*",
      "elektri*", "كهرباء*", "停電", "電力"), _network("electricity")),
)  # fmt: skip

#: What caused it.
CAUSES: tuple[Rule, ...] = (
    (("earthquake*", "землетрус*", "землетряс*", "terremoto*", "sismo*", "séisme*", "tremblement de terre",
      "erdbeben*", "deprem*", "زلزال*", "地震", "trzęsienie ziemi"),
     {"cause_group": "geophysical", "cause": "earthquake"}),
    (("landslide*", "mudslide*", "зсув*", "оползен*", "deslizamiento*", "derrumbe*", "glissement de terrain*",
      "éboulement*", "erdrutsch*", "deslizamento*", "heyelan*", "انهيار أرضي*", "انزلاق*", "土砂", "地すべり"),
     {"cause_group": "geophysical", "cause": "landslide"}),
    (("planned*", "maintenance*", "scheduled*", "планов*", "ремонт*", "programad*", "planificad*", "mantenimiento*",
      "travaux*", "geplant*", "wartung*", "manutenç*", "planlı*", "bakım*", "صيانة*", "計画工事"),
     {"cause_group": "planned"}),
    (("load shed*", "rolling blackout*", "rotating*", "racionamiento*", "délestage*", "racionamento*", "lastabwurf*",
      "تقنين*", "計画停電"), {"cause_group": "load_shedding"}),
    (("intentional*", "vandal*", "sabotage*", "theft", "suspicious*", "диверс*", "крадіж*", "краж*", "vandalismo*",
      "robo*", "hurto*", "sabotaje*", "vol de câble*", "diebstahl*", "roubo*", "furto*", "hırsızlık*", "سرقة*",
      "تخريب*"), {"cause_group": "deliberate"}),
    (("debris*", "уламк*", "обломк*", "restos de dron*", "débris*", "trümmer*", "حطام*"),
     {"cause_group": "hostilities", "cause": "debris_fall"}),
    (("shell*", "attack*", "drone*", "uav*", "missile*", "rocket*", "airstrike*", "air strike*", "bomb*",
      "artiller*", "strike*", "combat", "hostilit*", "war", "mine explosion", "обстріл*", "обстрел*", "ракет*",
      "дрон*", "бпла", "шахед*", "атак*", "авіауд*", "авиауд*", "бойов*", "боев*", "вибух*", "взрыв*", "explosion*",
      "bombarde*", "ataque*", "misil*", "dron", "drones", "frappe*", "tir de roquette*", "beschuss*", "angriff*",
      "rakete*", "saldırı*", "füze*", "قصف*", "غارة*", "غارات", "صاروخ*", "صواريخ", "هجوم*", "حرب", "空爆", "攻撃",
      "ostrzał*"), {"cause_group": "hostilities"}),
    (("wildfire*", "incendio forestal*", "incendios forestales", "feu de forêt*", "feux de forêt*", "waldbrand*",
      "incêndio florestal*", "orman yangını*", "حرائق غابات", "山火事"), {"cause_group": "weather", "cause": "fire"}),
    (("flood*", "повін*", "наводнен*", "підтопл*", "подтопл*", "inundación*", "inundaciones", "riada*", "crecida*",
      "dana", "inondation*", "crue", "crues", "hochwasser*", "überschwemmung*", "flut*", "enchente*", "inundaç*",
      "alagament*", "sel", "su baskını*", "فيضان*", "سيول", "سيل", "洪水", "浸水", "powód*"),
     {"cause_group": "weather", "cause": "flood"}),
    (("wind*", "tornado*", "hurricane*", "cyclone*", "typhoon*", "thunderstorm*", "derecho", "буревій*", "шквал*",
      "вітер", "ветер", "ураган*", "viento*", "huracán*", "ciclón*", "tormenta*", "vendaval*", "temporal*", "vent",
      "vents", "tempête*", "ouragan*", "sturm*", "orkan*", "vento*", "tempestade*", "furacão*", "rüzgar*",
      "fırtına*", "kasırga*", "عاصفة*", "عواصف", "رياح*", "إعصار*", "台風", "強風", "暴風", "wichur*"),
     {"cause_group": "weather", "cause": "wind"}),
    (("ice", "icing", "ice storm*", "ожелед*", "гололед*", "hielo*", "verglas*", "eisregen*", "vereisung*", "gelo*",
      "buzlanma*", "جليد*", "着氷"), {"cause_group": "weather", "cause": "ice"}),
    (("severe weather", "weather", "storm*", "winter*", "snow*", "hail*", "lightning*", "heatwave*", "heavy rain",
      "погод*", "негод*", "непогод*", "буря", "сніг*", "снег*", "rayo", "rayos", "descarga atmosférica*", "nieve*",
      "nevada*", "granizo*", "lluvia*", "clima*", "foudre*", "neige*", "grêle*", "intempérie*", "blitz*", "schnee*",
      "hagel*", "unwetter*", "raio", "raios", "chuva*", "yıldırım*", "kar", "yağmur*", "ثلوج*", "ثلج*", "أمطار*",
      "صاعقة*", "雷", "落雷", "雪", "大雨"), {"cause_group": "weather"}),
    (("equipment*", "transformer failure", "breaker*", "обладнан*", "оборудован*", "avería transformador*",
      "avería de equipo*", "falla de equipo*", "panne de transformateur*", "geräteausfall*", "falha de equipamento*",
      "عطل محول*", "機器故障"), {"cause_group": "technical", "cause": "equipment"}),
    (("technical*", "operability*", "system failure", "failure*", "fault*", "islanding*",
      "transmission interruption", "авар*", "технічн*", "техническ*", "avería*", "falla", "fallas", "fallo*",
      "cortocircuito*", "panne*", "défaillance*", "störung*", "ausfall*", "kurzschluss*", "avaria*", "falha*",
      "arıza*", "عطل*", "أعطال*", "故障", "事故", "awari*"), {"cause_group": "technical"}),
    (("fire", "fires", "пожеж*", "пожар*", "incendio*", "incendie*", "brand*", "feuer*", "fogo*", "incêndio*",
      "yangın*", "حريق*", "حرائق", "火災", "pożar*"), {"cause_group": "unknown", "cause": "fire"}),
)  # fmt: skip

#: Grades in words, where a table names no scale: what can be meant on the widest one.
_PLAIN_GRADES: tuple[Rule, ...] = (
    (("no damage", "undamaged", "not damaged", "не пошкоджен*", "не поврежд*", "no visible damage", "none",
      "intact*", "sin daño*", "ningún daño", "aucun dégât*", "sans dégât*", "unbeschädigt*", "kein schaden",
      "keine schäden", "sem dano*", "hasarsız*", "لا يوجد ضرر*", "لا ضرر", "غير متضرر*", "سليم*", "被害なし",
      "無被害", "bez uszkodzeń", "цілий", "без пошкоджень", "без повреждений"), {"grade": ""}),
    (("partial*", "partly", "частков*", "частичн*", "parcial*", "partiel*", "teilweise*", "teilschaden", "kısmi*",
      "kısmen*", "جزئي*", "半壊", "一部損壊", "一部破損", "częściow*"), {"grade": "partially_damaged"}),
    (("destroy*", "total loss", "collapsed", "зруйнован*", "знищен*", "разруш*", "уничтож*", "collapse*",
      "totally damaged", "fully damaged", "completely damaged", "destruid*", "destrucción total", "pérdida total",
      "total", "daño total", "derrumbad*", "colapsad*", "détruit*", "effondré*", "zerstör*", "totalschaden",
      "eingestürzt*", "desabad*", "perda total", "yıkık*", "yıkıl*", "yıkım", "مدمر*", "دمار*", "تدمير*", "كلي*",
      "全壊", "倒壊", "全焼", "zniszczon*"), {"grade": "destroyed"}),
    (("damaged", "пошкоджен*", "поврежд*", "damage*", "slight*", "light", "lightly", "minor*", "moderate*",
      "severe*", "heavy", "heavily", "major*", "dañad*", "daño*", "averiad*", "afectad*", "leve*", "moderad*",
      "grave*", "endommagé*", "dégât*", "léger*", "légère*", "modéré*", "beschädigt*", "schaden", "schäden",
      "leicht*", "mittel*", "schwer*", "danificad*", "dano*", "hasarlı*", "hasar*", "متضرر*", "ضرر*", "أضرار",
      "متوسط*", "شديد*", "خفيف*", "طفيف*", "損壊", "破損", "被害", "uszkodzon*", "незначн*", "значн*", "суттєв*",
      "середн*", "легк*", "тяжк*", "сильн*", "незначительн*", "значительн*", "существенн*", "средн*", "выбит*",
      "вибит*", "посечен*", "посічен*", "обрыв*", "обрив*"), {"grade": "partially_damaged"}),
    (("unknown", "not known", "невідом*", "неизвест*", "desconocid*", "inconnu*", "unbekannt*", "desconhecid*",
      "bilinmiyor", "غير معروف*", "不明", "nieznan*"), {"grade": "unknown"}),
)  # fmt: skip


def meant(rules: Iterable[Rule], text: str) -> dict[str, str] | None:
    """What the first rule that fits a text says; None if none does."""
    words = plain(text)
    return next((outcome for any_of, outcome in rules if pattern(any_of).search(words)), None)


@lru_cache(maxsize=4096)
def folded(heading: str) -> str:
    """A heading as words: ``OUTAGE.START_Date`` and ``outageStartDate`` are “outage start date”."""
    spaced = re.sub(r"(?<=[a-zа-яіїє0-9])(?=[A-ZА-ЯІЇЄ])", " ", heading)
    return plain(re.sub(r"\bN[°º]|№", " nr ", spaced))


def heading_score(role: str, heading: str) -> float:
    """How surely a heading names a role, from 0 to 1."""
    name = folded(heading)
    best = 0.0
    for place, word in enumerate(HEADINGS[role]):
        said = folded(word.removesuffix("*"))
        if name == said:
            return 1.0
        if said and pattern((word,)).search(name):
            # Longer words say more, and earlier ones are the usual ones.
            best = max(best, 0.45 + 0.4 * len(said) / max(len(name), 1) - 0.002 * place)
    return min(best, 0.95)


def likest(headings: Iterable[str], *roles: str) -> str:
    """Of the roles the first that a heading names, and the heading that names it most surely; empty if none does."""
    headings = list(headings)
    for role in roles:
        best = max(headings, key=partial(heading_score, role), default="")
        if heading_score(role, best) >= LEAST:
            return best
    return ""


def grades(values: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The scale that knows most of these words, and their grades on it; empty where none knows half of them.

    Of several the first is taken that knows all; words of no scale are read on ACAPS', the widest.
    """
    values = list(values)
    read = {scale: grades_on(scale, values) for scale in scales.SCALES}
    # ACAPS', which also takes plain words, last: where another scale knows as many, they are its own.
    exact = "acaps" if all(folded(value) in _labels("acaps") for value in values) else ""
    order = sorted(read, key=lambda scale: (-len(read[scale]), scale != exact, scale == "acaps"))
    found = read[order[0]]
    return (order[0], found) if found and 2 * len(found) >= len(values) else ("", {})


def grades_on(scale: str, values: Iterable[str]) -> dict[str, str]:
    """The grades of a scale that these words name, those left out that name none."""
    known, found = _labels(scale), {}
    for value in values:
        if grade := known.get(folded(value)):
            found[value] = grade
        elif scale == "acaps" and len(value.split()) <= 4 and (said := meant(_PLAIN_GRADES, value)):
            found[value] = said["grade"]
    return {value: grade for value, grade in found.items() if grade}


@lru_cache(maxsize=20)
def _labels(scale: str) -> dict[str, str]:
    """The folded codes and words of a scale's grades."""
    known: dict[str, str] = {}
    for grade in scales.SCALES[scale].grades if scale in scales.SCALES else ():
        label = folded(str(grade.label))
        known |= {folded(grade.code): grade.code, label: grade.code, label.lstrip("0123456789 "): grade.code}
    return known
