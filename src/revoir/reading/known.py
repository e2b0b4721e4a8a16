"""Exports of shops and contact software that are known by their headers.

Column names come from the products' public documentation and from files people publish:
Shopify "Export orders" (help.shopify.com), the WooCommerce order export and analytics
download, the PrestaShop order list, Stripe "Payments", and the contact exports of HubSpot,
Salesforce (API names and reports), Mailchimp and Brevo.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from revoir.language import msg
from revoir.reading.detect import Detection, attribute_name
from revoir.reading.mapping import ColumnMapping
from revoir.reading.raw import RawTable
from revoir.tables import plain_name


@dataclass(frozen=True)
class Export:
    """The headers of one kind of export, as `plain_name` writes them.

    Attributes:
        name: The software.
        table: The canonical table it is brought into.
        marks: Headers that only this export has together.
        any_of: At least one of these must be there too (empty: no matter).
        columns: What each known header is.
        ignored: Headers that are not read (a second address, the software's own numbers).
        formats: The convention of a column, where it is not the usual one.
        told_once: The header of what is told on the first of its rows alone: the order, or the
            product whose variants these are (empty: each row says all).
    """

    name: str
    table: str
    marks: frozenset[str]
    columns: dict[str, str]
    any_of: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()
    formats: dict[str, str] = field(default_factory=dict)
    told_once: str = ""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PEOPLE = {
    "first_name": "customers.first_name", "firstname": "customers.first_name",
    "prenom": "customers.first_name", "last_name": "customers.last_name",
    "lastname": "customers.last_name", "nom": "customers.last_name",
    "email": "customers.email", "email_address": "customers.email",
    "adresse_email": "customers.email", "phone": "customers.phone",
    "phone_number": "customers.phone", "mobile_phone": "customers.phone",
    "mobile_phone_number": "customers.phone", "sms": "customers.phone",
    "city": "customers.city", "country": "customers.country",
    "country_region": "customers.country", "postal_code": "customers.postcode",
    "zip": "customers.postcode", "zip_code": "customers.postcode",
    "birthday": "customers.birth_date", "birthdate": "customers.birth_date",
    "date_of_birth": "customers.birth_date",
}  # fmt: skip

EXPORTS = (
    Export(
        "Shopify", "orders",
        _names("name financial_status lineitem_quantity lineitem_name lineitem_price"),
        {
            "name": "orders.order_id", "email": "customers.email",
            "financial_status": "orders.status", "created_at": "orders.ordered_at",
            "total": "orders.amount", "currency": "orders.currency",
            "refunded_amount": "orders.refunded", "discount_amount": "orders.discount",
            "lineitem_quantity": "order_lines.quantity", "lineitem_name": "order_lines.product",
            "lineitem_sku": "order_lines.product_id", "lineitem_price": "order_lines.unit_price",
            "billing_name": "customers.name", "billing_street": "customers.street",
            "billing_zip": "customers.postcode", "billing_city": "customers.city",
            "billing_country": "customers.country", "billing_province": "customers.region",
            "billing_company": "customers.company", "billing_phone": "customers.phone",
            "accepts_marketing": "customers.consent", "source": "orders.channel",
        },
        ignored=(
            "shipping_", "billing_address", "phone", "id", "receipt_number", "device_id",
            "payment_id", "payment_reference", "payment_references", "note", "tax_",
        ),
        told_once="name",
    ),
    Export(
        "Shopify", "products", _names("handle title vendor option1_value"),
        {
            "variant_sku": "products.product_id", "sku": "products.product_id",
            "title": "products.product", "type": "products.category",
            "product_category": "products.category", "variant_inventory_qty": "products.stock",
            "inventory_quantity": "products.stock",
        },
        ignored=(
            "body_html", "description", "option1_", "option2_", "option3_", "image_", "variant_",
            "google_shopping", "seo_", "gift_card", "cost_per_item", "published", "price",
        ),
        told_once="handle",
    ),
    Export(
        "WooCommerce", "orders", _names("order_id order_total billing_email"),
        {
            "order_id": "orders.order_id", "order_date": "orders.ordered_at",
            "date": "orders.ordered_at", "date_created": "orders.ordered_at",
            "status": "orders.status", "order_status": "orders.status",
            "order_total": "orders.amount", "currency": "orders.currency",
            "order_currency": "orders.currency", "refunded_total": "orders.refunded",
            "order_refunded_total": "orders.refunded", "total_refunded": "orders.refunded",
            "discount_total": "orders.discount", "cart_discount": "orders.discount",
            "customer_id": "orders.customer_id", "customer_user": "orders.customer_id",
            "billing_email": "customers.email", "billing_first_name": "customers.first_name",
            "billing_last_name": "customers.last_name", "billing_phone": "customers.phone",
            "billing_city": "customers.city", "billing_postcode": "customers.postcode",
            "billing_country": "customers.country", "billing_state": "customers.region",
            "billing_company": "customers.company", "billing_address_1": "customers.street",
            "item_name": "order_lines.product", "item_sku": "order_lines.product_id",
            "item_quantity": "order_lines.quantity", "item_total": "order_lines.amount",
        },
        any_of=_names("order_date date date_created"),
        ignored=(
            "shipping_first", "shipping_last", "shipping_address", "shipping_company",
            "shipping_phone", "shipping_postcode", "billing_address_2", "customer_ip_address",
            "customer_user_agent", "customer_note", "line_items", "line_item_", "order_key",
        ),
    ),
    Export(
        "WooCommerce", "orders", _names("order n_revenue customer_type status"),
        {
            "date": "orders.ordered_at", "order": "orders.order_id", "status": "orders.status",
            "customer": "customers.name", "n_revenue": "orders.amount",
        },
        any_of=_names("date"),
        ignored=("n_revenue_formatted", "net_revenue_formatted"),
    ),
    Export(
        "PrestaShop", "orders", _names("reference total"),
        {
            "id": "orders.order_id", "id_commande": "orders.order_id",
            "client": "customers.name", "customer": "customers.name",
            "total": "orders.amount", "etat": "orders.status", "status": "orders.status",
            "statut": "orders.status", "date": "orders.ordered_at",
            "livraison": "customers.country", "delivery": "customers.country",
            "entreprise": "customers.company", "company": "customers.company",
        },
        any_of=_names("nouveau_client new_client new_customer"),
    ),
    Export(
        "Stripe", "orders", _names("id amount amount_refunded currency status"),
        {
            "id": "orders.order_id", "created_utc": "orders.ordered_at",
            "created_date_utc": "orders.ordered_at", "created": "orders.ordered_at",
            "amount": "orders.amount", "amount_refunded": "orders.refunded",
            "currency": "orders.currency", "status": "orders.status",
            "customer_id": "orders.customer_id", "customer_email": "customers.email",
            "customer_name": "customers.name", "card_name": "customers.name",
        },
        any_of=_names("created_utc created_date_utc created"),
        ignored=(
            "description", "customer_description", "converted_", "card_id", "card_address",
            "card_last4", "card_fingerprint", "seller_message", "shipping_", "mode", "payment_",
            "invoice_", "statement_", "transfer", "refunded_date", "checkout_", "client_",
        ),
        formats={
            "created_utc": "utc", "created_date_utc": "utc", "created": "utc", "amount": "point",
        },
    ),
    Export(
        "HubSpot", "customers", _names("record_id email"),
        {
            **_PEOPLE, "record_id": "customers.customer_id", "create_date": "customers.joined_at",
            "company_name": "customers.company", "associated_company": "customers.company",
            "street_address": "customers.street", "state_region": "customers.region",
            "unsubscribed_from_all_email": "customers.consent",
        },
        any_of=_names("create_date lifecycle_stage contact_owner lead_status"),
        ignored=("associated_company_ids", "associated_note", "associated_deal"),
        formats={"unsubscribed_from_all_email": "inverted"},
    ),
    Export(
        "Salesforce", "customers", _names("last_name mailing_city"),
        {
            **_PEOPLE, "id": "customers.customer_id", "contact_id": "customers.customer_id",
            "mailing_city": "customers.city", "mailing_street": "customers.street",
            "mailing_postal_code": "customers.postcode", "mailing_zip_postal_code":
            "customers.postcode", "mailing_country": "customers.country",
            "mailing_state": "customers.region", "mailing_state_province": "customers.region",
            "account_name": "customers.company", "created_date": "customers.joined_at",
            "has_opted_out_of_email": "customers.consent", "email_opt_out": "customers.consent",
            "title": "attribute",
        },
        any_of=_names("id contact_id"),
        ignored=(
            "system_modstamp", "other_", "photo_url", "master_record_id", "last_", "is_deleted",
            "created_by", "reports_to", "owner_id", "mailing_latitude", "mailing_longitude",
            "mailing_geocode", "fax", "home_phone", "assistant", "description", "jigsaw",
        ),
        formats={"has_opted_out_of_email": "inverted", "email_opt_out": "inverted"},
    ),
    Export(
        "Mailchimp", "customers", _names("email_address optin_time"),
        {
            **_PEOPLE, "optin_time": "customers.joined_at", "address": "customers.street",
        },
        any_of=_names("member_rating leid euid confirm_time"),
        ignored=(
            "optin_ip", "confirm_", "latitude", "longitude", "gmtoff", "dstoff", "timezone",
            "leid", "euid", "notes", "last_changed", "unsub_", "clean_",
        ),
    ),
    Export(
        "Brevo", "customers", _names("email added_time"),
        {
            **_PEOPLE, "contact_id": "attribute", "added_time": "customers.joined_at",
            "email_blacklisted": "customers.consent", "blacklisted": "customers.consent",
            "opt_in": "customers.consent",
        },
        any_of=_names("modified_time contact_id sms"),
        ignored=("modified_time", "list_ids", "sms_blacklisted", "double_opt_in"),
        formats={"email_blacklisted": "inverted", "blacklisted": "inverted"},
    ),
)  # fmt: skip
"""Every export that is known, the most particular first."""


def recognise(raw: RawTable) -> Detection | None:
    """Whether a raw table is an export that is known by its headers.

    Returns:
        What its columns mean, or None.
    """
    names = [plain_name(header) for header in raw.headers]
    held = set(names)
    for export in EXPORTS:
        if export.marks <= held and (not export.any_of or export.any_of & held):
            return _detection(export, raw, names)
    return None


def _detection(export: Export, raw: RawTable, names: list[str]) -> Detection:
    columns: list[ColumnMapping] = []
    used: set[str] = set()
    reason = msg("the export of {name} calls it so", name=export.name)
    for column, header, name in zip(raw.columns, raw.headers, names, strict=True):
        target = export.columns.get(name)
        if target == "attribute" or target in used:
            target = None
        elif target is None and _ignored(export, name):
            columns.append(
                ColumnMapping(column, header, None, None, 1.0,
                              msg("the figures have no use for it: not read"))
            )  # fmt: skip
            continue
        if target:
            used.add(target)
            columns.append(
                ColumnMapping(column, header, target, target.rpartition(".")[2], 0.99, reason,
                              export.formats.get(name))
            )  # fmt: skip
        else:
            columns.append(
                ColumnMapping(column, header, None, attribute_name(header, column), 1.0,
                              msg("no table names it: kept to break figures down"))
            )  # fmt: skip
    return Detection(
        export.table, 0.99, msg("it has the headers of an export of {name}", name=export.name),
        tuple(columns), export.name,
        next((c for c, name in zip(raw.columns, names, strict=True) if name == export.told_once),
             None),
    )  # fmt: skip


def _ignored(export: Export, name: str) -> bool:
    return any(
        name == word or (word.endswith("_") and name.startswith(word))
        or (len(word) > 8 and name.startswith(word))
        for word in export.ignored
    )  # fmt: skip
