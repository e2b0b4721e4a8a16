"""Lists of products: what they are taken for, which column numbers them, and what they are not."""

from __future__ import annotations

from typing import Any

import pytest

from revoir.book import Book

from .conftest import Read, told

LINES = "commande;client;date;référence;quantité;montant\n" + "".join(
    f"{n};C{n % 3};2024-01-{n:02d};{('TH1', 'TH2', 'TA1', 'X9')[n % 4]};1;{n},00\n"
    for n in range(1, 13)
)
SHOPS = {
    "by hand": (
        "Référence;Désignation;Rayon;Prix\nTH1;Thé vert;Thés;10,00\nTH2;Thé noir;Thés;8,00\n"
        "TA1;Tasse;Vaisselle;5,00\n"
    ),
    "PrestaShop": (
        "ID;Image;Nom;Référence;Catégorie;Prix (HT);Prix (TTC);Quantité;Activé\n"
        "1;http://i;Thé vert;TH1;Thés;10,00;12,00;5;1\n"
        "2;http://i;Thé noir;TH2;Thés;8,00;9,60;0;1\n3;http://i;Tasse;TA1;Vaisselle;5,00;6,00;7;1\n"
    ),
    "WooCommerce": (
        "ID,Type,SKU,Name,Published,Description,In stock?,Stock,Regular price,Categories,Images\n"
        "12,simple,TH1,Thé vert,1,un long texte,1,5,10,Thés,http://i\n"
        "13,simple,TH2,Thé noir,1,un long texte,0,0,8,Thés,http://i\n"
        "14,simple,TA1,Tasse,1,un long texte,1,7,5,Vaisselle,http://i\n"
    ),
    "Magento, with the day and the price of each": (
        "sku,attribute_set_code,product_type,categories,name,description,price,created_at,qty\n"
        'TH1,Default,simple,Thés,Thé vert,d,10,"1/15/24, 10:00 AM",5\n'
        'TH2,Default,simple,Thés,Thé noir,d,8,"1/16/24, 10:00 AM",0\n'
        'TA1,Default,simple,Vaisselle,Tasse,d,5,"1/17/24, 10:00 AM",7\n'
    ),
    "Odoo": (
        "Référence interne,Nom,Prix de vente,Catégorie d'article,Quantité en stock\n"
        "TH1,Thé vert,10.0,Thés,5.0\nTH2,Thé noir,8.0,Thés,0.0\nTA1,Tasse,5.0,Vaisselle,7.0\n"
    ),
}


@pytest.mark.parametrize("shop", list(SHOPS))
def test_lines_get_the_names_and_categories_of_the_list(read: Read, shop: str) -> None:
    reading = read({"lignes.csv": LINES, "produits.csv": SHOPS[shop]})
    assert [file.table for file in reading.files] == ["order_lines", "products"]
    lines = Book(reading.tables).table("order_lines").to_pyarrow().to_pylist()
    assert len(lines) == 12
    assert sum(line["amount"] for line in lines) == sum(range(1, 13))
    found = {(line["product_id"], line["product"], line["category"]) for line in lines}
    assert found == {
        ("TH1", "Thé vert", "Thés"), ("TH2", "Thé noir", "Thés"), ("TA1", "Tasse", "Vaisselle"),
        ("X9", None, None),
    }  # fmt: skip
    assert "1 product of the order lines is not in the list" in told(reading)


@pytest.mark.parametrize("shop", ["PrestaShop", "WooCommerce", "Odoo"])
def test_the_stock(read: Read, rows: Any, shop: str) -> None:
    held = rows(read({"produits.csv": SHOPS[shop]}), "products")
    assert {row["product_id"]: row["stock"] for row in held} == {"TH1": 5, "TH2": 0, "TA1": 7}


def test_what_was_sold_is_not_in_stock(read: Read) -> None:
    text = "Produit;Quantité vendue;Stock mini;CA\nPain;100;5;120,50\nTarte;20;5;180,00\n"
    reading = read({"lignes.csv": LINES, "ventes.csv": text})
    assert "products" not in reading.tables or "stock" not in reading.tables["products"].columns


def test_variants_and_images_of_shopify(read: Read, rows: Any) -> None:
    """A product's name stands on the first of its rows alone; some rows are but a picture."""
    reading = read(
        "Handle,Title,Body (HTML),Vendor,Product Category,Option1 Name,Option1 Value,Variant SKU,"
        "Variant Inventory Qty,Variant Price,Image Src\n"
        "tee,T-shirt,<p>a</p>,Acme,Apparel,Size,S,TS-S,5,19.00,http://x/1.jpg\n"
        "tee,,,,,,M,TS-M,0,19.00,http://x/2.jpg\n"
        "tee,,,,,,,,,,http://x/3.jpg\n"
        "tee,,,,,,,,,,http://x/4.jpg\n"
        "mug,Mug,<p>b</p>,Acme,Kitchen,Title,Default Title,MUG,12,9.00,http://x/5.jpg\n"
    )
    assert "Shopify" in reading.files[0].why.text("en")
    held = {row["product_id"]: row for row in rows(reading, "products")}
    assert held.keys() == {"TS-S", "TS-M", "MUG", "T-shirt"}
    assert [(held[code]["product"], held[code]["category"], held[code]["stock"]) for code in
            ("TS-S", "TS-M", "MUG")] == [
        ("T-shirt", "Apparel", 5), ("T-shirt", "Apparel", 0), ("Mug", "Kitchen", 12),
    ]  # fmt: skip


def test_a_shop_without_codes(read: Read) -> None:
    lines = "client;date;produit;montant\nA;2024-01-01;Pain;2\nA;2024-01-02;Tarte;9\n"
    reading = read({"lignes.csv": lines, "produits.csv": "Produit;Catégorie\nPain;Boulangerie\n"
                    "Tarte;Pâtisserie\nÉclair;Pâtisserie\n"})  # fmt: skip
    sold = Book(reading.tables).table("orders" if "order_lines" not in reading.tables
                                      else "order_lines").to_pyarrow().to_pylist()  # fmt: skip
    assert {(row["product"], row["category"]) for row in sold} == {
        ("Pain", "Boulangerie"), ("Tarte", "Pâtisserie"),
    }  # fmt: skip


def test_the_category_before_the_department(read: Read, column: Any) -> None:
    reading = read(
        "product_id,manufacturer_id,department,brand,product_category,product_type\n"
        "25671,2,GROCERY,National,FRZN ICE,ICE\n26190,69,GROCERY,Private,FRUIT,SAUCE\n"
    )
    assert column(reading, "products", "category") == ["FRZN ICE", "FRUIT"]
    assert "product" not in reading.tables["products"].columns


def test_what_a_line_says_of_its_product_stays(read: Read) -> None:
    lines = "commande,client,date,sku,produit,rayon,montant\n1,A,2024-01-01,S1,Ancien nom,,5\n"
    reading = read({"a.csv": lines, "b.csv": "sku,name,category,brand\nS1,Nouveau,Thés,Acme\n"
                    "S2,Autre,Thés,Acme\n"})  # fmt: skip
    [row] = Book(reading.tables).table("order_lines").to_pyarrow().to_pylist()
    assert (row["product"], row["category"], row["brand"]) == ("Ancien nom", "Thés", "Acme")


def test_rows_that_name_one_product_are_brought_together(read: Read, rows: Any) -> None:
    others = "".join(f"T{n},Tasse {n},Vaisselle,1\n" for n in range(20))
    reading = read(f"SKU,Produit,Catégorie,Stock\nS1,Thé,,\nS1,,Thés,4\n,,Thés,3\n{others}")
    held = {row["product_id"]: row for row in rows(reading, "products")}
    assert len(held) == 21
    assert held["S1"] == {"product_id": "S1", "product": "Thé", "category": "Thés", "stock": 4}
    [file] = reading.files
    assert (file.rows_accepted, file.rows_duplicate, file.rows_quarantined) == (21, 1, 1)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("id;nom;type;ville\n1;Ann;pro;Tours\n2;Bob;pro;Nantes\n", "customers"),
        ("sku,date,prix\nS1,2024-01-01,5\nS2,2024-01-02,6\nS3,2024-01-03,6\n", "orders"),
        (
            "client,date,article,quantité,prix unitaire\nA,2024-01-01,Thé,1,5\n"
            "B,2024-01-02,Tasse,2,6\nC,2024-01-03,Pot,1,6\n", "orders",
        ),
        ("client,marque,rayon\nA,Acme,Thés\nB,Bobo,Thés\n", "customers"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_products(read: Read, text: str, table: str) -> None:
    reading = read(text)
    assert table in reading.tables
    assert "products" not in reading.tables
